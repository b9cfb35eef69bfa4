/** Plots of compared runs: scatter, parallel coordinates, a metric over time. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, cut, number } from '../models/format';
import { IColumn, linear } from '../models/plots';
import { IRunRow } from '../wire';
import { useWidth } from './hooks';
import { Empty } from './parts';

interface IPlotProps {
  runs: readonly IRunRow[];
  columns: readonly IColumn[];
  trans: TranslationBundle;
  hovered: number | null;
  onHover(run: number | null): void;
  onOpen(run: string): void;
}

const HEIGHT = 300;
const LEFT = 64;
const BOTTOM = 40;

/** What a mark of a run needs to be reached and opened by mouse and keyboard. */
function pressable(
  run: string,
  props: { onOpen(run: string): void; onHover?(run: number | null): void },
  index = 0
): React.SVGAttributes<SVGElement> {
  const { onOpen, onHover } = props;
  return {
    role: 'link',
    tabIndex: 0,
    'aria-label': run,
    onClick: () => onOpen(run),
    onKeyDown: event => {
      if (event.key === 'Enter') {
        onOpen(run);
      }
    },
    ...(onHover && {
      onMouseEnter: () => onHover(index),
      onMouseLeave: () => onHover(null),
      onFocus: () => onHover(index),
      onBlur: () => onHover(null)
    })
  };
}

function tick(column: IColumn, value: number): string {
  return column.labels ? (column.labels[value] ?? '') : number(value);
}

/** The ticks of a column: its labels where it has names. */
function ticksOf(column: IColumn, scale: { ticks: number[] }): number[] {
  return column.labels ? column.labels.map((_, index) => index) : scale.ticks;
}

function Picker(props: {
  label: string;
  columns: readonly IColumn[];
  value: string;
  onChange(name: string): void;
}): JSX.Element {
  return (
    <label className="jp-nbflow-Picker">
      {props.label}
      <select
        className="jp-nbflow-Field"
        value={props.value}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.columns.map(column => (
          <option key={`${column.kind} ${column.name}`} value={column.name}>
            {column.name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Each run a point: any column against any other. */
export function Scatter(props: IPlotProps): JSX.Element {
  const { columns, runs, trans } = props;
  const differing = columns.filter(
    column => new Set(column.values.filter(value => value !== null)).size > 1
  );
  // numbers tell more than names
  const first = (kind: IColumn['kind'], otherwise: number) =>
    (
      differing.find(column => column.kind === kind && !column.labels) ??
      differing.find(column => column.kind === kind) ??
      columns[otherwise] ??
      columns[0]
    )?.name ?? '';
  const [x, setX] = React.useState(() => first('parameter', 0));
  const [y, setY] = React.useState(() => first('metric', 1));
  const [box, width] = useWidth();
  const across = columns.find(column => column.name === x);
  const up = columns.find(column => column.name === y);
  if (!across || !up) {
    return <Empty>{trans.__('These runs have no numbers in common.')}</Empty>;
  }
  const sx = linear(across.values, LEFT, Math.max(width - 20, LEFT + 100));
  const sy = linear(up.values, HEIGHT - BOTTOM, 12);
  return (
    <figure
      className="jp-nbflow-Plot"
      ref={box as unknown as React.RefObject<HTMLElement>}
    >
      <figcaption className="jp-nbflow-Bar">
        <Picker label={trans.__('Across')} columns={columns} value={x} onChange={setX} />
        <Picker label={trans.__('Up')} columns={columns} value={y} onChange={setY} />
      </figcaption>
      <svg
        width={width}
        height={HEIGHT}
        role="group"
        aria-label={trans.__('%1 against %2', y, x)}
      >
        <Axes width={width} x={[across, sx]} y={[up, sy]} />
        {runs.map((run, index) => {
          const a = across.values[index];
          const b = up.values[index];
          return a === null || b === null ? null : (
            <circle
              key={run.run}
              className="jp-nbflow-Plot-point"
              data-near={props.hovered === index}
              cx={sx(a)}
              cy={sy(b)}
              r={props.hovered === index ? 7 : 5}
              {...pressable(run.run, props, index)}
            >
              <title>{`${run.run}\n${x} ${tick(across, a)}\n${y} ${tick(up, b)}`}</title>
            </circle>
          );
        })}
      </svg>
    </figure>
  );
}

type Axis = [IColumn, ReturnType<typeof linear>];

function Axes(props: { width: number; x: Axis | null; y: Axis }): JSX.Element {
  const [yColumn, sy] = props.y;
  return (
    <g className="jp-nbflow-Plot-axes">
      {ticksOf(yColumn, sy).map(value => (
        <g key={value}>
          <line x1={LEFT} x2={props.width - 12} y1={sy(value)} y2={sy(value)} />
          <text x={LEFT - 8} y={sy(value) + 4} textAnchor="end">
            {tick(yColumn, value).slice(0, 9)}
          </text>
        </g>
      ))}
      {props.x &&
        ticksOf(props.x[0], props.x[1]).map(value => (
          <text
            key={value}
            x={props.x![1](value)}
            y={HEIGHT - BOTTOM + 18}
            textAnchor="middle"
          >
            {tick(props.x![0], value).slice(0, 12)}
          </text>
        ))}
    </g>
  );
}

/** Each run a line through all columns. */
export function Parallel(props: IPlotProps): JSX.Element {
  const { runs, columns, trans } = props;
  const [box, width] = useWidth();
  const shown = columns
    .filter(column => new Set(column.values.filter(value => value !== null)).size > 1)
    .slice(0, 12);
  if (shown.length < 2) {
    return <Empty>{trans.__('Fewer than two parameters or metrics differ.')}</Empty>;
  }
  // each axis has room for its title; where there is too little for all, the plot scrolls
  const wide = Math.max(width, 140 + (shown.length - 1) * 112);
  const x = (index: number) => 70 + (index * (wide - 140)) / (shown.length - 1);
  const scales = shown.map(column => linear(column.values, HEIGHT - 24, 44));
  const last = shown.at(-1)!;
  const order = [...last.values]
    .filter((value): value is number => value !== null)
    .sort((a, b) => a - b);
  return (
    <figure
      className="jp-nbflow-Plot jp-mod-scrolls"
      ref={box as unknown as React.RefObject<HTMLElement>}
    >
      <svg
        width={wide}
        height={HEIGHT}
        role="group"
        aria-label={trans.__('Parallel coordinates')}
      >
        {runs.map((run, index) => {
          const points = shown
            .map((column, at) => {
              const value = column.values[index];
              return value === null ? null : `${x(at)},${scales[at](value)}`;
            })
            .filter(Boolean);
          const value = last.values[index];
          const rank =
            value === null ? 0 : order.indexOf(value) / Math.max(1, order.length - 1);
          return (
            <path
              key={run.run}
              className="jp-nbflow-Plot-line"
              data-near={props.hovered === index}
              style={{ strokeOpacity: 0.35 + 0.65 * rank }}
              d={`M${points.join('L')}`}
              {...pressable(run.run, props, index)}
            >
              <title>{run.run}</title>
            </path>
          );
        })}
        {shown.map((column, at) => (
          <g
            key={`${column.kind} ${column.name}`}
            className="jp-nbflow-Plot-axes"
            data-kind={column.kind}
          >
            <line
              className="jp-mod-axis"
              x1={x(at)}
              x2={x(at)}
              y1={44}
              y2={HEIGHT - 24}
            />
            <text className="jp-mod-title" x={x(at)} y={22} textAnchor="middle">
              {cut(column.name, 17)}
            </text>
            {ticksOf(column, scales[at]).map(value => (
              // the lines end at the last axis, so that there is room at its right
              <text
                key={value}
                x={x(at) + (column === last ? 6 : -6)}
                y={scales[at](value) + 4}
                textAnchor={column === last ? 'start' : 'end'}
              >
                {tick(column, value).slice(0, 9)}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** A metric of all runs of a flow, in the order of their start. */
export function OverTime(props: {
  runs: readonly IRunRow[];
  compared: readonly string[];
  trans: TranslationBundle;
  onOpen(run: string): void;
}): JSX.Element {
  const { trans } = props;
  const runs = [...props.runs].reverse();
  const names = [
    ...new Set(
      runs.flatMap(run =>
        Object.entries(run.metrics)
          .filter(([, value]) => typeof value === 'number')
          .map(([name]) => name)
      )
    )
  ];
  const [name, setName] = React.useState('');
  const [box, width] = useWidth();
  const metric = name || names[0];
  if (!metric) {
    return <Empty>{trans.__('No run of this flow has a metric.')}</Empty>;
  }
  const column: IColumn = {
    name: metric,
    kind: 'metric',
    labels: null,
    values: runs.map(run => {
      const value = run.metrics[metric];
      return typeof value === 'number' ? value : null;
    })
  };
  const sy = linear(column.values, HEIGHT - BOTTOM, 12);
  const x = (index: number) =>
    LEFT + 12 + (index * Math.max(60, width - LEFT - 40)) / Math.max(1, runs.length - 1);
  const points = runs
    .map((_, index) => [index, column.values[index]] as const)
    .filter((point): point is readonly [number, number] => point[1] !== null);
  const now = Date.now() / 1000;
  return (
    <figure
      className="jp-nbflow-Plot"
      ref={box as unknown as React.RefObject<HTMLElement>}
    >
      <figcaption className="jp-nbflow-Bar">
        <Picker
          label={trans.__('Metric')}
          columns={names.map(other => ({ ...column, name: other }))}
          value={metric}
          onChange={setName}
        />
        <span className="jp-nbflow-Bar-note">
          {trans._n('%1 run', '%1 runs', points.length)}
        </span>
      </figcaption>
      <svg
        width={width}
        height={HEIGHT}
        role="group"
        aria-label={trans.__('%1 over time', metric)}
      >
        <Axes width={width} x={null} y={[column, sy]} />
        <path
          className="jp-nbflow-Plot-trend"
          d={`M${points.map(([index, value]) => `${x(index)},${sy(value)}`).join('L')}`}
        />
        {points.map(([index, value]) => (
          <circle
            key={runs[index].run}
            className="jp-nbflow-Plot-point"
            data-near={props.compared.includes(runs[index].run)}
            cx={x(index)}
            cy={sy(value)}
            r={props.compared.includes(runs[index].run) ? 6 : 3.5}
            {...pressable(runs[index].run, props)}
          >
            <title>{`${runs[index].run}: ${number(value)}, ${age(runs[index].created, now)}`}</title>
          </circle>
        ))}
        {points.length > 0 && (
          <g className="jp-nbflow-Plot-axes">
            <text x={x(points[0][0])} y={HEIGHT - 14}>
              {runs[points[0][0]].run}
            </text>
            {points.length > 1 && (
              <text x={x(points.at(-1)![0])} y={HEIGHT - 14} textAnchor="end">
                {runs[points.at(-1)![0]].run}
              </text>
            )}
          </g>
        )}
      </svg>
    </figure>
  );
}
