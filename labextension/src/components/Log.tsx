/** A task's log: follows while it runs, searches, and stays quick with a million lines. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { plain, spans } from '../models/ansi';
import { bytes } from '../models/format';
import { LogTail } from '../models/logtail';
import { RunPageModel } from '../models/runpage';
import { useChanges, useRows } from './hooks';
import { Button, Empty } from './parts';

const LINE = 18;
const PACE = 1000;

export function Log(props: {
  model: RunPageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const task = model.task!;
  const log = React.useMemo(
    () => new LogTail(query => model.api.log(model.path, task, query)),
    [model, task.step, task.key]
  );
  useChanges(log.changed);
  const [following, setFollowing] = React.useState(true);
  const [search, setSearch] = React.useState('');
  const [hit, setHit] = React.useState(0);
  const all = log.shown;
  const needle = search.toLowerCase();
  const hits = React.useMemo(() => {
    const found: number[] = [];
    if (needle) {
      all.forEach((line, index) => {
        if (plain(line).toLowerCase().includes(needle)) {
          found.push(index);
        }
      });
    }
    return found;
  }, [all.length, needle, log]);
  const rows = useRows(all.length, LINE, 20);

  React.useEffect(() => {
    void log.follow();
    const timer = window.setInterval(() => {
      if (!log.complete) {
        void log.follow();
      }
    }, PACE);
    return () => window.clearInterval(timer);
  }, [log]);
  React.useEffect(() => {
    if (following && rows.box.current) {
      rows.box.current.scrollTop = rows.box.current.scrollHeight;
    }
  }, [all.length, following, log]);
  const jump = (to: number) => {
    if (hits.length) {
      const next = (to + hits.length) % hits.length;
      setHit(next);
      setFollowing(false);
      rows.show(hits[next]);
    }
  };
  // what is typed is shown where it is found
  React.useEffect(() => jump(0), [needle]);
  const part = bytes(log.end - log.start);
  return (
    <div className="jp-nbflow-Log">
      <div className="jp-nbflow-Bar">
        <input
          className="jp-nbflow-Field"
          type="search"
          placeholder={trans.__('Search the log')}
          aria-label={trans.__('Search the log')}
          value={search}
          onChange={event => {
            setSearch(event.target.value);
          }}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              jump(event.shiftKey ? hit - 1 : hit + (hits.length > 1 ? 1 : 0));
            }
          }}
        />
        {needle && (
          <span className="jp-nbflow-Bar-note" role="status">
            {hits.length
              ? trans.__('%1 of %2', hit + 1, hits.length)
              : trans.__('not found')}
          </span>
        )}
        <span className="jp-nbflow-Bar-space" />
        {(log.start > 0 || log.cut) && (
          <span className="jp-nbflow-Bar-note">
            {log.cut
              ? trans.__('the first %1 of %2', part, bytes(log.size))
              : trans.__('the last %1 of %2', part, bytes(log.size))}
          </span>
        )}
        {log.start > 0 && (
          <Button
            label={trans.__('Show from the start')}
            onClick={() => void log.whole()}
          />
        )}
        <Button
          label={trans.__('Follow')}
          pressed={following}
          onClick={() => setFollowing(!following)}
        />
        <a
          className="jp-nbflow-Button jp-mod-text"
          href={model.api.url(model.path, 'log/file', { ...task })}
          download={`${model.path.replace('/', '-')}-${task.step}${task.key && `-${task.key}`}.log`}
        >
          {trans.__('Download')}
        </a>
      </div>
      {log.error !== null && <Empty error>{log.error}</Empty>}
      {log.loaded && !log.error && all.length === 0 && (
        <Empty>
          {log.complete
            ? trans.__('This task has printed nothing.')
            : trans.__('This task has printed nothing yet.')}
        </Empty>
      )}
      <div
        className="jp-nbflow-Log-lines"
        ref={rows.box}
        tabIndex={0}
        role="log"
        aria-label={trans.__('Log of %1', `${task.step} ${task.key}`)}
        onWheel={event => event.deltaY < 0 && setFollowing(false)}
      >
        <div
          style={{ height: rows.height, position: 'relative', minWidth: 'max-content' }}
        >
          {all.slice(rows.first, rows.last).map((line, offset) => {
            const index = rows.first + offset;
            return (
              <div
                key={index}
                className="jp-nbflow-Log-line"
                data-hit={hits[hit] === index}
                style={{ top: index * LINE, height: LINE }}
              >
                <i aria-hidden="true">{log.start > 0 ? '' : index + 1}</i>
                <code>
                  {spans(line).map((span, at) => (
                    <span key={at} className={span.classes}>
                      {marked(span.text, needle)}
                    </span>
                  ))}
                </code>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** A text with what is searched for marked. */
function marked(text: string, needle: string): React.ReactNode {
  if (!needle || !text.toLowerCase().includes(needle)) {
    return text;
  }
  const out: React.ReactNode[] = [];
  let rest = text;
  for (let at = rest.toLowerCase().indexOf(needle); at >= 0;) {
    out.push(
      rest.slice(0, at),
      <mark key={out.length}>{rest.slice(at, at + needle.length)}</mark>
    );
    rest = rest.slice(at + needle.length);
    at = rest.toLowerCase().indexOf(needle);
  }
  out.push(rest);
  return out;
}
