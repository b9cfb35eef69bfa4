/** The table of tasks: a window on any number of rows. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, duration, short } from '../models/format';
import { RunPageModel } from '../models/runpage';
import { ITaskQuery, TaskList } from '../models/tasklist';
import { ITaskRow } from '../wire';
import { useChanges, useNow, useRows } from './hooks';
import { Empty, failureText, Glyph, statusText } from './parts';

const ROW = 28;

export function Tasks(props: {
  model: RunPageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const list = React.useMemo(
    () => new TaskList(query => model.api.tasks(model.path, query)),
    [model]
  );
  useChanges(list.changed);
  const { step } = model.state;
  React.useEffect(() => {
    void list.setQuery({ step });
  }, [list, step, model.revision]);
  const rows = useRows(list.tasks.length, ROW);
  const asked = [list.query.sort, list.query.order, list.query.status, list.query.search];
  // what is sorted or filtered anew is looked at from its start
  React.useEffect(() => rows.show(0), asked);
  const running = list.tasks.some(task => task.status === 'running');
  const now = useNow(running);
  React.useEffect(() => {
    if (rows.last > list.tasks.length - 60) {
      void list.loadMore();
    }
  });
  const { query } = list;
  const sort = (by: ITaskQuery['sort']) =>
    void list.setQuery({
      sort: by,
      order: query.sort === by && query.order === 'asc' ? 'desc' : 'asc'
    });
  const values = React.useMemo(() => {
    const names = new Set<string>();
    list.tasks
      .slice(0, 200)
      .forEach(task => Object.keys(task.values).forEach(name => names.add(name)));
    return step ? [...names].slice(0, 6) : [];
  }, [list.tasks, step]);
  const align = (name: string) =>
    list.tasks.some(task => typeof task.values[name] === 'string') ? '' : 'jp-mod-number';
  const items = list.tasks.some(task => task.item !== null);
  const columns = [
    '22px',
    step ? '72px' : 'minmax(110px, 1fr)',
    ...(items ? ['minmax(110px, 1.2fr)'] : []),
    '82px',
    '78px',
    ...values.map(() => 'minmax(76px, 0.8fr)'),
    'minmax(140px, 1.6fr)'
  ].join(' ');
  const selected = (task: ITaskRow) =>
    task.step === model.state.step &&
    task.key === (model.state.key ?? (task.key === '' ? '' : null));
  const walk = (event: React.KeyboardEvent) => {
    const at = list.tasks.findIndex(selected);
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
    if (move !== undefined && list.tasks.length) {
      const next = Math.max(0, Math.min(list.tasks.length - 1, at + move));
      const task = list.tasks[next];
      rows.show(next);
      model.select({ step: model.state.step === null ? null : task.step, key: task.key });
      event.preventDefault();
    }
  };
  const head = (label: string, by: ITaskQuery['sort'], className = '') => (
    <button
      type="button"
      role="columnheader"
      className={className}
      aria-sort={
        query.sort === by ? (query.order === 'asc' ? 'ascending' : 'descending') : 'none'
      }
      onClick={() => sort(by)}
    >
      {label}
      {query.sort === by && (
        <i aria-hidden="true">{query.order === 'asc' ? ' ▲' : ' ▼'}</i>
      )}
    </button>
  );
  return (
    <div className="jp-nbflow-Tasks">
      <div className="jp-nbflow-Bar">
        <input
          className="jp-nbflow-Field"
          type="search"
          placeholder={trans.__('Search items and errors')}
          aria-label={trans.__('Search items and errors')}
          value={query.search}
          onChange={event => void list.setQuery({ search: event.target.value })}
        />
        <select
          className="jp-nbflow-Field"
          aria-label={trans.__('Status')}
          value={query.status}
          onChange={event => void list.setQuery({ status: event.target.value })}
        >
          <option value="">{trans.__('all statuses')}</option>
          {(
            [
              'failed',
              'running',
              'pending',
              'succeeded',
              'cached',
              'skipped',
              'cancelled',
              'lost'
            ] as const
          ).map(status => (
            <option key={status} value={status}>
              {statusText(trans, status)}
            </option>
          ))}
        </select>
        <span className="jp-nbflow-Bar-note" role="status">
          {list.loaded &&
            trans._n('%2 task', '%2 tasks', list.total, list.total.toLocaleString())}
        </span>
      </div>
      {list.error !== null && <Empty error>{list.error}</Empty>}
      <div
        className="jp-nbflow-Table"
        role="table"
        aria-label={trans.__('Tasks')}
        aria-rowcount={list.total + 1}
      >
        <div
          className="jp-nbflow-Table-head"
          role="row"
          style={{ gridTemplateColumns: columns }}
        >
          <span role="columnheader" aria-label={trans.__('Status')} />
          {head(trans.__('Task'), 'key')}
          {items && <span role="columnheader">{trans.__('Item')}</span>}
          {head(trans.__('Duration'), 'seconds', 'jp-mod-number')}
          {head(trans.__('Started'), 'started')}
          {values.map(name => (
            <span key={name} role="columnheader" className={align(name)} title={name}>
              {name}
            </span>
          ))}
          <span role="columnheader">{trans.__('Why')}</span>
        </div>
        <div
          className="jp-nbflow-Table-body"
          ref={rows.box}
          tabIndex={0}
          role="rowgroup"
          aria-label={trans.__('Tasks')}
          onKeyDown={walk}
        >
          {list.loaded && list.tasks.length === 0 && !list.error && (
            <Empty>
              {query.status || query.search
                ? trans.__('No task matches.')
                : trans.__('No task has been recorded yet.')}
            </Empty>
          )}
          <div role="presentation" style={{ height: rows.height, position: 'relative' }}>
            {list.tasks.slice(rows.first, rows.last).map((task, offset) => {
              const index = rows.first + offset;
              const seconds =
                task.started === null
                  ? null
                  : (task.finished ?? (task.status === 'running' ? now : task.started)) -
                    task.started;
              const part = task.part === 'items' ? trans.__('items') : '';
              return (
                <div
                  key={`${task.step}/${task.key}/${task.part}`}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-selected={selected(task)}
                  className="jp-nbflow-Table-row"
                  data-status={task.status}
                  data-task={`${task.step}/${task.key}`}
                  style={{ top: index * ROW, height: ROW, gridTemplateColumns: columns }}
                  onClick={() => model.select({ step: task.step, key: task.key })}
                  onDoubleClick={() =>
                    model.select({ step: task.step, key: task.key, tab: 'log' })
                  }
                >
                  <span role="cell">
                    <Glyph status={task.status} trans={trans} size={14} />
                  </span>
                  <span role="cell" className="jp-mod-strong">
                    {step
                      ? task.key || task.step
                      : task.key
                        ? `${task.step} ${task.key}`
                        : task.step}
                    {part && <small> {part}</small>}
                    {task.attempt > 1 && (
                      <small title={trans.__('Attempt %1', task.attempt)}>
                        {' '}
                        ↻{task.attempt}
                      </small>
                    )}
                  </span>
                  {items && (
                    <span role="cell" title={short(task.item, 500)}>
                      {task.item === null ? '' : short(task.item)}
                    </span>
                  )}
                  <span role="cell" className="jp-mod-number">
                    {duration(seconds)}
                  </span>
                  <span
                    role="cell"
                    title={
                      task.started === null
                        ? ''
                        : new Date(task.started * 1000).toLocaleString()
                    }
                  >
                    {task.started === null ? '' : age(task.started, now)}
                  </span>
                  {values.map(name => (
                    <span
                      key={name}
                      role="cell"
                      className={align(name)}
                      title={short(task.values[name] ?? null, 300)}
                    >
                      {task.values[name] === undefined
                        ? ''
                        : short(task.values[name], 24)}
                    </span>
                  ))}
                  <span
                    role="cell"
                    className={task.error ? 'jp-mod-error' : 'jp-mod-soft'}
                    title={
                      task.error
                        ? `${task.error.type}: ${task.error.message}`
                        : (task.reason ?? '')
                    }
                  >
                    {task.error
                      ? `${failureText(trans, task.error.type)}: ${task.error.message}`
                      : task.cached_from
                        ? trans.__('from %1', task.cached_from)
                        : (task.reason ?? '')}
                  </span>
                </div>
              );
            })}
          </div>
        </div>
      </div>
    </div>
  );
}
