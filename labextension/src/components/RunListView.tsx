/** The sidebar: all runs, newest first, filtered, ticked to be compared. */

import { refreshIcon, runIcon } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, duration, short } from '../models/format';
import { IFilter, NO_FILTER, RunList } from '../models/runlist';
import { isFinal } from '../models/runpage';
import { IFacets, IRunRow, IStoreInfo } from '../wire';
import { compareIcon } from '../icons';
import { Mark } from './Flags';
import { useChanges, useNow, useRows } from './hooks';
import { Button, Empty, failureText, Glyph, statusText } from './parts';

const ROW = 50;

export interface IRunListProps {
  list: RunList;
  trans: TranslationBundle;
  facets(): Promise<IFacets>;
  stores(): Promise<IStoreInfo[]>;
  onOpen(run: string): void;
  onCompare(runs: string[]): void;
  onStart(): void;
  onCancel(run: string): void;
  onDelete(runs: string[]): void;
  onRefresh(): void;
}

export function RunListView(props: IRunListProps): JSX.Element {
  const { list, trans } = props;
  useChanges(list.changed);
  const rows = useRows(list.runs.length, ROW);
  const running = list.runs.some(run => !isFinal(run.status));
  const now = useNow(true, running ? 1000 : 15000);
  React.useEffect(() => {
    if (list.more && rows.last > list.runs.length - 60) {
      void list.loadMore();
    }
  });
  const at = list.runs.findIndex(run => run.run === list.current);
  const walk = (event: React.KeyboardEvent) => {
    const page = Math.max(1, rows.last - rows.first - 20);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: list.runs.length - 1
    };
    if (event.key in moves && list.runs.length) {
      const next = Math.max(0, Math.min(list.runs.length - 1, moves[event.key]));
      list.setCurrent(list.runs[next].run);
      rows.show(next);
      event.preventDefault();
    } else if (event.key === 'Enter' && at >= 0) {
      props.onOpen(list.runs[at].run);
    } else if (event.key === ' ' && at >= 0) {
      list.toggle(list.runs[at].run);
      event.preventDefault();
    }
  };
  const filtered = Object.values(list.filter).some(Boolean);
  const chosen = list.runs.filter(run => list.selected.has(run.run)).map(run => run.run);
  return (
    <div className="jp-nbflow-Runs">
      <Filters {...props} />
      {chosen.length > 0 && (
        <div className="jp-nbflow-Bar jp-nbflow-Runs-chosen">
          <span>{trans._n('%1 selected', '%1 selected', chosen.length)}</span>
          <span className="jp-nbflow-Bar-space" />
          <Button
            primary
            text
            icon={compareIcon}
            label={trans.__('Compare')}
            disabled={chosen.length < 2}
            onClick={() => props.onCompare(chosen)}
          />
          <Button label={trans.__('Delete')} onClick={() => props.onDelete(chosen)} />
          <Button label={trans.__('Clear')} onClick={() => list.clearSelection()} />
        </div>
      )}
      {list.error !== null && (
        <Empty error>
          <p>{list.error}</p>
          <Button label={trans.__('Try again')} onClick={props.onRefresh} />
        </Empty>
      )}
      {list.loaded && list.runs.length === 0 && list.error === null && (
        <Empty>
          {filtered ? (
            trans.__('No run matches.')
          ) : (
            <>
              <p>{trans.__('There are no runs here yet.')}</p>
              <p>
                {trans.__(
                  'Tag the cells that matter with %1 and start the notebook as a flow.',
                  '%%step NAME'
                )}
              </p>
              <Button
                primary
                label={trans.__('Run a notebook…')}
                onClick={props.onStart}
              />
            </>
          )}
        </Empty>
      )}
      <div
        className="jp-nbflow-Runs-list"
        ref={rows.box}
        tabIndex={0}
        role="listbox"
        aria-label={trans.__('Runs')}
        aria-multiselectable="true"
        aria-activedescendant={at >= 0 ? `nbflow-run-${list.runs[at].id}` : undefined}
        onKeyDown={walk}
      >
        <div role="presentation" style={{ height: rows.height, position: 'relative' }}>
          {list.runs.slice(rows.first, rows.last).map((run, offset) => (
            <Row
              key={run.id}
              {...props}
              run={run}
              index={rows.first + offset}
              count={list.total ?? list.runs.length}
              now={now}
              active={run.run === list.current}
              chosen={list.selected.has(run.run)}
              onActivate={() => list.setCurrent(run.run)}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function Filters(props: IRunListProps): JSX.Element {
  const { list, trans } = props;
  const [facets, setFacets] = React.useState<IFacets | null>(null);
  const [stores, setStores] = React.useState<IStoreInfo[]>([]);
  const [search, setSearch] = React.useState(list.filter.search);
  const newest = list.runs[0]?.id;
  React.useEffect(() => {
    props.facets().then(setFacets, () => undefined);
    props.stores().then(setStores, () => undefined);
  }, [newest, list.store]);
  React.useEffect(() => {
    if (search !== list.filter.search) {
      const timer = window.setTimeout(() => set({ search }), 200);
      return () => window.clearTimeout(timer);
    }
    return undefined;
  }, [search]);
  const set = (change: Partial<IFilter>) =>
    void list.setFilter({ ...list.filter, ...change });
  const select = (
    name: keyof IFilter,
    label: string,
    values: readonly (readonly [string, string])[]
  ) =>
    // there is nothing to choose where all are of one flow, or of one engine
    (values.length > (name === 'flow' || name === 'engine' ? 1 : 0) ||
      list.filter[name]) && (
      <select
        className="jp-nbflow-Field"
        aria-label={label}
        data-set={list.filter[name] !== ''}
        value={list.filter[name]}
        onChange={event => set({ [name]: event.target.value })}
      >
        <option value="">{label}</option>
        {values.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    );
  const same = (values: readonly string[] = []) =>
    values.map(value => [value, value] as const);
  return (
    <div className="jp-nbflow-Runs-filters">
      <div className="jp-nbflow-Bar">
        <input
          className="jp-nbflow-Field jp-mod-wide"
          type="search"
          placeholder={
            list.total === null
              ? trans.__('Search runs')
              : trans._n(
                  'Search %2 run',
                  'Search %2 runs',
                  list.total,
                  list.total.toLocaleString()
                )
          }
          aria-label={trans.__('Search runs')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
        <Button
          icon={runIcon}
          label={trans.__('Run a notebook…')}
          onClick={props.onStart}
        />
        <Button
          icon={refreshIcon}
          label={trans.__('Refresh')}
          onClick={props.onRefresh}
        />
      </div>
      {(stores.length > 1 || list.store !== '') && (
        <select
          className="jp-nbflow-Field jp-nbflow-Runs-store"
          aria-label={trans.__('Folder')}
          value={list.store}
          onChange={event => {
            setSearch('');
            void list.setStore(event.target.value);
          }}
        >
          {stores.map(store => (
            <option key={store.name} value={store.name}>
              {store.name || trans.__('the server’s folder')}
            </option>
          ))}
        </select>
      )}
      <div className="jp-nbflow-Bar jp-mod-wrap">
        {select('flow', trans.__('Flow'), same(facets?.flows))}
        {select(
          'status',
          trans.__('Status'),
          (
            ['running', 'succeeded', 'failed', 'cancelled', 'lost', 'pending'] as const
          ).map(status => [status, statusText(trans, status)] as const)
        )}
        {select('tag', trans.__('Tag'), same(facets?.tags))}
        {select('branch', trans.__('Branch'), same(facets?.branches))}
        {select('engine', trans.__('Engine'), same(facets?.engines))}
        {Object.values(list.filter).some(Boolean) && (
          <Button
            label={trans.__('Clear')}
            onClick={() => {
              setSearch('');
              void list.setFilter(NO_FILTER);
            }}
          />
        )}
      </div>
    </div>
  );
}

interface IRowProps extends IRunListProps {
  run: IRunRow;
  index: number;
  count: number;
  now: number;
  active: boolean;
  chosen: boolean;
  onActivate(): void;
}

/** What the second line says: the error, the progress, or the first metrics. */
function summary(run: IRunRow, trans: TranslationBundle): string {
  if (run.error) {
    return `${run.error.step ? `${run.error.step}: ` : ''}${failureText(trans, run.error.type)} ${run.error.message}`;
  }
  if (!isFinal(run.status)) {
    const doing = run.steps
      .filter(step => step.status === 'running')
      .map(step => step.name);
    if (run.cancelling) {
      return trans.__('cancelling');
    }
    const waiting = run.steps.find(step => step.waits !== null);
    return (
      doing.join(', ') ||
      (waiting ? `${waiting.name}: ${waiting.waits}` : statusText(trans, run.status))
    );
  }
  const metrics = Object.entries(run.metrics)
    .filter(([, value]) => typeof value === 'number')
    .slice(0, 3)
    .map(([name, value]) => `${name} ${short(value, 12)}`)
    .join(' · ');
  return metrics || (run.status === 'succeeded' ? '' : statusText(trans, run.status));
}

function Row(props: IRowProps): JSX.Element {
  const { run, trans, now, list } = props;
  const going = !isFinal(run.status);
  const seconds = run.started === null ? null : (run.finished ?? now) - run.started;
  const total = run.steps.reduce((sum, step) => sum + (step.total ?? step.done + 1), 0);
  const done = run.steps.reduce((sum, step) => sum + step.done, 0);
  const text = summary(run, trans);
  return (
    <div
      id={`nbflow-run-${run.id}`}
      className="jp-nbflow-Row"
      role="option"
      aria-selected={props.chosen}
      aria-posinset={props.index + 1}
      aria-setsize={props.count}
      aria-label={`${run.run}, ${statusText(trans, run.status)}, ${age(run.created, now)}, ${duration(seconds)} ${text}`}
      data-run={run.run}
      data-status={run.status}
      data-active={props.active}
      style={{ top: props.index * ROW, height: ROW }}
      onClick={event => {
        props.onActivate();
        if (event.ctrlKey || event.metaKey) {
          list.toggle(run.run);
        } else {
          props.onOpen(run.run);
        }
      }}
      onContextMenu={props.onActivate}
    >
      <span
        className="jp-nbflow-Row-sign"
        onClick={event => {
          list.toggle(run.run);
          event.stopPropagation();
        }}
        title={trans.__('Select to compare')}
      >
        <Glyph status={run.status} trans={trans} />
        <span className="jp-nbflow-Row-tick" aria-hidden="true" />
      </span>
      <span className="jp-nbflow-Row-name">
        {run.flow}
        <em>/{run.number}</em>
        {run.flags > 0 && (
          <span
            className="jp-nbflow-Row-flags"
            title={trans._n(
              '%1 thing far out of the ordinary',
              '%1 things far out of the ordinary',
              run.flags
            )}
          >
            <Mark
              label={trans._n(
                '%1 thing far out of the ordinary',
                '%1 things far out of the ordinary',
                run.flags
              )}
            />
          </span>
        )}
        {run.tags.slice(0, 3).map(tag => (
          <span key={tag} className="jp-nbflow-Tag">
            {tag}
          </span>
        ))}
      </span>
      <span className="jp-nbflow-Row-time">{duration(seconds)}</span>
      <span className="jp-nbflow-Row-text" data-error={run.error !== null} title={text}>
        {text}
      </span>
      <span
        className="jp-nbflow-Row-age"
        title={new Date(run.created * 1000).toLocaleString()}
      >
        {age(run.created, now)}
      </span>
      {going && (
        <span className="jp-nbflow-Row-bar">
          <i style={{ width: `${total ? (100 * done) / total : 0}%` }} />
        </span>
      )}
    </div>
  );
}
