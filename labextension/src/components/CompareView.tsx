/** Runs side by side: what differs first. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Api } from '../api';
import { duration, short, value } from '../models/format';
import { statistics } from '../models/datastats';
import { columns } from '../models/plots';
import { NO_FILTER } from '../models/runlist';
import { ICompare, ICompareRow, Json } from '../wire';
import { UnifiedDiff } from './Diff';
import { useLoaded } from './hooks';
import { Empty, Glyph, Tabs } from './parts';
import { OverTime, Parallel, Scatter } from './Plots';

export interface ICompareViewProps {
  api: Api;
  runs: readonly string[];
  trans: TranslationBundle;
  onOpen(run: string): void;
}

type Tab = 'table' | 'plots' | 'time' | 'code' | 'environment' | 'data';

export function CompareView(props: ICompareViewProps): JSX.Element {
  const { api, runs, trans } = props;
  const { data, error } = useLoaded(() => api.compare(runs), runs.join());
  const [tab, setTab] = React.useState<Tab>('table');
  const [all, setAll] = React.useState(false);
  const [hovered, setHovered] = React.useState<number | null>(null);
  if (error !== null) {
    return <Empty error>{error}</Empty>;
  }
  if (!data) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  const differing = (rows: readonly ICompareRow[]) =>
    rows.filter(row => row.differs).length;
  const code = data.code.filter(one => one.diffs.some(Boolean));
  const drawn = [
    ...columns(data.params, 'parameter'),
    ...columns(data.metrics, 'metric')
  ];
  const plot = {
    runs: data.runs,
    columns: drawn,
    trans,
    hovered,
    onHover: setHovered,
    onOpen: props.onOpen
  };
  const table = (sections: [string, readonly ICompareRow[], boolean][]) => (
    <CompareTable
      {...props}
      data={data}
      sections={sections}
      all={all}
      hovered={hovered}
      onHover={setHovered}
    />
  );
  return (
    <div className="jp-nbflow-Compare">
      <div className="jp-nbflow-Page-tabs">
        <Tabs
          label={trans.__('Comparison')}
          current={tab}
          onChange={setTab}
          tabs={[
            {
              id: 'table',
              label: trans.__('Parameters and metrics'),
              count: differing(data.params) + differing(data.metrics)
            },
            { id: 'plots', label: trans.__('Plots') },
            { id: 'time', label: trans.__('Over time') },
            { id: 'code', label: trans.__('Code'), count: code.length },
            {
              id: 'environment',
              label: trans.__('Environment'),
              count: differing(data.environment)
            },
            { id: 'data', label: trans.__('Data'), count: differing(data.data) }
          ]}
        />
        <span className="jp-nbflow-Bar-space" />
        <label className="jp-nbflow-Check">
          <input
            type="checkbox"
            checked={!all}
            onChange={event => setAll(!event.target.checked)}
          />
          {trans.__('Differences only')}
        </label>
      </div>
      <div className="jp-nbflow-Page-body" role="tabpanel" aria-label={tab}>
        {tab === 'table' &&
          table([
            [trans.__('Metrics'), data.metrics, true],
            [trans.__('Parameters'), data.params, false]
          ])}
        {tab === 'environment' &&
          table([[trans.__('Environment'), data.environment, false]])}
        {tab === 'data' &&
          table([[trans.__('Data'), withStatistics(data.data, all), true]])}
        {tab === 'plots' && (
          <div
            className="jp-nbflow-Scroll"
            tabIndex={0}
            role="group"
            aria-label={trans.__('Plots')}
          >
            <Scatter {...plot} />
            <Parallel {...plot} />
          </div>
        )}
        {tab === 'time' && <Time {...props} flow={data.runs[0].flow} />}
        {tab === 'code' && (
          <div
            className="jp-nbflow-Scroll"
            tabIndex={0}
            role="group"
            aria-label={trans.__('Code')}
          >
            {code.length === 0 && <Empty>{trans.__('All ran the same code.')}</Empty>}
            {code.map(one =>
              one.diffs.map((diff, index) =>
                diff ? (
                  <details
                    key={`${one.name}-${index}`}
                    open
                    className="jp-nbflow-CodeDiff"
                  >
                    <summary>
                      {one.name}
                      <small>
                        {data.runs[0].run} → {data.runs[index]?.run}
                      </small>
                    </summary>
                    <UnifiedDiff text={diff} />
                  </details>
                ) : null
              )
            )}
          </div>
        )}
      </div>
    </div>
  );
}

function Time(props: ICompareViewProps & { flow: string }): JSX.Element {
  const { data, error } = useLoaded(
    () => props.api.runs({ ...NO_FILTER, flow: props.flow }, null, 200),
    props.flow
  );
  if (error !== null) {
    return <Empty error>{error}</Empty>;
  }
  return data ? (
    <div className="jp-nbflow-Scroll">
      <OverTime
        runs={data.runs}
        compared={props.runs}
        trans={props.trans}
        onOpen={props.onOpen}
      />
    </div>
  ) : (
    <Empty>{props.trans.__('Loading…')}</Empty>
  );
}

/** Below each value that differs, what about it does. */
function withStatistics(rows: readonly ICompareRow[], all: boolean): ICompareRow[] {
  return rows.flatMap(row =>
    row.differs || all
      ? [row, ...statistics(row, all).map(one => ({ ...one, name: `\u2003${one.name}` }))]
      : []
  );
}

/** A value of a row in short; data are told by their type and text. */
function cellText(item: Json): string {
  if (
    item !== null &&
    typeof item === 'object' &&
    !Array.isArray(item) &&
    'type' in item &&
    'text' in item
  ) {
    return String(item.text || item.type);
  }
  return short(item, 80);
}

function CompareTable(
  props: ICompareViewProps & {
    data: ICompare;
    sections: [string, readonly ICompareRow[], boolean][];
    all: boolean;
    hovered: number | null;
    onHover(run: number | null): void;
  }
): JSX.Element {
  const { data, trans } = props;
  const shown = props.sections.map(
    ([title, rows, deltas]) =>
      [title, props.all ? rows : rows.filter(row => row.differs), deltas] as const
  );
  return (
    <div
      className="jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Comparison')}
    >
      <table className="jp-nbflow-CompareTable">
        <thead>
          <tr>
            <th scope="col">{trans._n('%1 run', '%1 runs', data.runs.length)}</th>
            {data.runs.map((run, index) => (
              <th
                key={run.run}
                scope="col"
                data-near={props.hovered === index}
                onMouseEnter={() => props.onHover(index)}
                onMouseLeave={() => props.onHover(null)}
              >
                <button
                  type="button"
                  className="jp-nbflow-Link"
                  onClick={() => props.onOpen(run.run)}
                >
                  <Glyph status={run.status} trans={trans} size={14} /> {run.run}
                </button>
                <small>
                  {run.started !== null &&
                    run.finished !== null &&
                    duration(run.finished - run.started)}
                  {index === 0 && ` · ${trans.__('baseline')}`}
                </small>
              </th>
            ))}
          </tr>
        </thead>
        {shown.map(([title, rows, deltas]) => (
          <tbody key={title}>
            <tr>
              <th
                className="jp-mod-section"
                scope="rowgroup"
                colSpan={data.runs.length + 1}
              >
                {title}
                {rows.length === 0 && <small>{trans.__('no difference')}</small>}
              </th>
            </tr>
            {rows.map((row, place) => (
              <tr
                key={`${place} ${row.name}`}
                data-differs={row.differs}
                data-within={row.name.startsWith('\u2003')}
              >
                <th scope="row">{row.name}</th>
                {row.values.map((item, index) => (
                  <td
                    key={index}
                    data-near={props.hovered === index}
                    data-number={typeof item === 'number'}
                    data-other={
                      index > 0 && JSON.stringify(item) !== JSON.stringify(row.values[0])
                    }
                    title={value(item)}
                  >
                    {row.present[index] ? cellText(item) : <i>–</i>}
                    {deltas && index > 0 && <Delta from={row.values[0]} to={item} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Delta(props: { from: Json; to: Json }): JSX.Element | null {
  const { from, to } = props;
  if (typeof from !== 'number' || typeof to !== 'number' || from === to) {
    return null;
  }
  const change = to - from;
  return (
    <small className="jp-nbflow-Delta">
      {change > 0 ? '+' : '−'}
      {value(Math.abs(change))}
    </small>
  );
}
