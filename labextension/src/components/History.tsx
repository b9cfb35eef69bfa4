/** Where a step ran so far: runs of the flow, and what was tried by hand in a kernel. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { CellState } from '../models/cellstates';
import { age, duration } from '../models/format';
import { IDiagnostic, IInteractiveTask, IStepRun } from '../wire';
import { useLoaded } from './hooks';
import { Button, Glyph, statusText } from './parts';
import { Tried } from './Tried';

export interface IHistoryProps {
  step: string;
  state: CellState;
  runs: readonly IStepRun[];
  /** What the kernel found when its cells ran last. */
  notes: readonly IDiagnostic[];
  /** The hash of the step's code now; null where it does not compile. */
  code: string | null;
  trans: TranslationBundle;
  onOpen(run: string): void;
  onDebug(run: string): void;
  onRun(): void;
  onInsert(code: string): void;
  /** What was tried by hand; asked for when this is shown. */
  tried(): Promise<IInteractiveTask[]>;
}

/** What the arrow keys walk along. */
const WALKED = 'li > button:enabled, summary';

/** Executions that have something to tell: a step that a run never came to is left out. */
export function past(runs: readonly IStepRun[]): IStepRun[] {
  return runs.filter(run => run.status !== 'pending');
}

export function History(props: IHistoryProps): JSX.Element {
  const { trans, runs, code } = props;
  const list = React.useRef<HTMLDivElement>(null);
  const now = Date.now() / 1000;
  const tried = useLoaded(props.tried, props.step);
  const tasks = tried.data ?? [];
  // what the store has of it tells more
  const shown = past(runs).filter(
    run => run.run || run.status === 'running' || tasks.length === 0
  );
  const failed = shown.find(run => run.run && run.status === 'failed');
  React.useEffect(() => {
    list.current?.querySelector<HTMLElement>(WALKED)?.focus();
  }, []);
  const walk = (event: React.KeyboardEvent) => {
    const buttons = [...list.current!.querySelectorAll<HTMLElement>(WALKED)];
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      buttons.at((at + move) % buttons.length)?.focus();
      event.preventDefault();
    }
  };
  return (
    <div className="jp-nbflow-History">
      <header data-state={props.state}>
        <b>{props.step}</b>
        <span>{statusText(trans, props.state)}</span>
      </header>
      {props.notes.map(note => (
        <p key={note.message} className="jp-nbflow-Note" data-severity={note.severity}>
          <b>{note.code}</b> {note.message}
          {note.fix && <small>{note.fix}</small>}
        </p>
      ))}
      <div className="jp-nbflow-History-past" ref={list} onKeyDown={walk}>
        {shown.length === 0 && tasks.length === 0 && tried.data !== null && (
          <p>{trans.__('This step has not run.')}</p>
        )}
        {shown.length > 0 && tasks.length > 0 && <h3>{trans.__('Runs')}</h3>}
        <ul aria-label={trans.__('Where it ran')}>
          {shown.map(run => (
            <li key={run.run || 'by hand'}>
              <button
                type="button"
                data-run={run.run}
                disabled={!run.run}
                onClick={() => props.onOpen(run.run)}
              >
                <Glyph status={run.status} trans={trans} size={14} />
                <b>{run.run || trans.__('by hand')}</b>
                <span>{run.engine}</span>
                <span>
                  {run.started !== null &&
                    run.finished !== null &&
                    duration(run.finished - run.started)}
                </span>
                <span>{age(run.created, now)}</span>
                <small>
                  {code !== null && run.code !== code ? trans.__('other code') : ''}
                </small>
              </button>
            </li>
          ))}
        </ul>
        {tasks.length > 0 && (
          <>
            <h3>{trans.__('Tried by hand')}</h3>
            <Tried tasks={tasks} trans={trans} onInsert={props.onInsert} />
          </>
        )}
        {tried.error && <p role="alert">{tried.error}</p>}
      </div>
      <footer>
        <Button label={trans.__('Run flow…')} onClick={props.onRun} />
        {failed && (
          <Button
            label={trans.__('Debug %1 here', failed.run)}
            onClick={() => props.onDebug(failed.run)}
          />
        )}
      </footer>
    </div>
  );
}
