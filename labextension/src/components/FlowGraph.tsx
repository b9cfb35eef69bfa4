/** The graph of steps with their states. A fan-out is one node, with counts and a heat strip. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { CellState } from '../models/cellstates';
import { cut, duration } from '../models/format';
import { NODE_HEIGHT, NODE_WIDTH, place, shapeOf } from '../models/layout';
import { runs } from '../models/strip';
import { IGraph, IGraphNode, IHeatStrip, IRunError, IStepState, Status } from '../wire';
import { useNow, useWidth } from './hooks';
import { failureText, Glyph, statusText, Strip } from './parts';

export interface IGraphProps {
  graph: IGraph;
  states: ReadonlyMap<string, IStepState>;
  strips: ReadonlyMap<string, IHeatStrip>;
  trans: TranslationBundle;
  selected: string | null;
  onSelect(step: string | null): void;
  onOpen?(step: string): void;
  /** In the notebook: the states of cells instead of those of a run. */
  badges?: ReadonlyMap<string, CellState>;
  /** Why the run has failed. */
  error?: IRunError | null;
  /** Whether the run has ended: what is still pending will not run. */
  over?: boolean;
  direction?: 'LR' | 'TB';
}

const MIN_SCALE = 0.75;

/** What a node says below its name. */
function note(
  node: IGraphNode,
  state: IStepState | undefined,
  now: number,
  trans: TranslationBundle,
  error: IRunError | null,
  over: boolean
): string {
  if (!state) {
    return node.foreach ? trans.__('for each %1', node.foreach) : '';
  }
  if (over && state.status === 'pending') {
    return trans.__('not run');
  }
  const total = state.total;
  const failed = state.counts.failed ?? 0;
  const cached = state.counts.cached ?? 0;
  const parts: string[] = [];
  if (failed && state.done === total && total > 1) {
    return trans.__('%1 of %2 failed', failed.toLocaleString(), total.toLocaleString());
  }
  if ((node.line.length || node.foreach) && total !== null) {
    parts.push(`${state.done.toLocaleString()}/${total.toLocaleString()}`);
    if (failed) {
      parts.push(trans.__('%1 failed', failed));
    } else if (cached) {
      parts.push(trans.__('%1 cached', cached));
    } else if (state.waits !== null && state.status === 'pending') {
      parts.push(trans.__('waits'));
    }
  } else if (state.waits !== null) {
    return state.waits;
  } else if (state.status !== 'succeeded' && state.status !== 'running') {
    const ended = state.status === 'failed' && error?.step === node.name;
    parts.push(ended ? failureText(trans, error.type) : statusText(trans, state.status));
  }
  if (state.started !== null && state.status !== 'cached') {
    const end = state.finished ?? (state.status === 'running' ? now : null);
    parts.push(end === null ? '' : duration(end - state.started));
  }
  return parts.filter(Boolean).join(' · ');
}

/** The sign of what runs moves on with the seconds. */
function turned(status: Status, now: number): string {
  return status === 'running' ? ` rotate(${(Math.floor(now) % 8) * 45} 8 8)` : '';
}

/** An SVG that themes style by CSS; arrows walk along the edges, Enter opens. */
export function FlowGraph(props: IGraphProps): JSX.Element {
  const { graph, trans } = props;
  const direction = props.direction ?? 'LR';
  const shape = shapeOf(graph);
  const placed = React.useMemo(() => place(graph, direction), [shape, direction]);
  const [box, width] = useWidth();
  const [hovered, setHovered] = React.useState<string | null>(null);
  const svg = React.useRef<SVGSVGElement>(null);
  const running = [...props.states.values()].some(state => state.status === 'running');
  const now = useNow(running);
  const scale = width ? Math.max(MIN_SCALE, Math.min(1, (width - 4) / placed.width)) : 1;
  const focus = hovered ?? props.selected;
  // what is selected elsewhere is looked for here
  React.useEffect(() => {
    svg.current
      ?.querySelector('[aria-pressed=true]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [props.selected, shape, width]);

  const go = (event: React.KeyboardEvent, name: string) => {
    const forward = graph.edges
      .filter(edge => edge.source === name)
      .map(edge => edge.target);
    const back = graph.edges
      .filter(edge => edge.target === name)
      .map(edge => edge.source);
    const names = graph.nodes.map(node => node.name);
    const beside = (step: number) => names[names.indexOf(name) + step];
    const forwards = direction === 'LR' ? 'ArrowRight' : 'ArrowDown';
    const backwards = direction === 'LR' ? 'ArrowLeft' : 'ArrowUp';
    let next: string | undefined;
    if (event.key === 'Enter' || event.key === ' ') {
      if (event.key === 'Enter' && props.selected === name) {
        props.onOpen?.(name);
      } else {
        props.onSelect(name);
      }
      event.preventDefault();
      return;
    } else if (event.key === forwards) {
      next = forward[0] ?? beside(1);
    } else if (event.key === backwards) {
      next = back[0] ?? beside(-1);
    } else if (event.key.startsWith('Arrow')) {
      next = beside(event.key === 'ArrowDown' || event.key === 'ArrowRight' ? 1 : -1);
    } else if (event.key === 'Escape') {
      props.onSelect(null);
    }
    if (next) {
      event.preventDefault();
      svg.current
        ?.querySelector<SVGGElement>(`[data-step="${CSS.escape(next)}"]`)
        ?.focus();
    }
  };

  return (
    <div
      className="jp-nbflow-Graph"
      ref={box}
      onClick={event => {
        if (event.target === event.currentTarget || event.target === svg.current) {
          props.onSelect(null);
        }
      }}
    >
      <svg
        ref={svg}
        role="group"
        aria-label={trans.__('Steps of the flow')}
        width={placed.width * scale}
        height={placed.height * scale}
        viewBox={`0 0 ${placed.width} ${placed.height}`}
      >
        {placed.edges.map(edge => (
          <g
            key={`${edge.source}>${edge.target}`}
            className="jp-nbflow-Graph-edge"
            data-near={focus === edge.source || focus === edge.target}
            data-order={edge.names.length === 0}
          >
            <title>
              {edge.names.length
                ? trans.__('%1 → %2: %3', edge.source, edge.target, edge.names.join(', '))
                : trans.__('%1 before %2', edge.source, edge.target)}
            </title>
            <path className="jp-nbflow-Graph-hit" d={edge.path} />
            <path d={edge.path} />
          </g>
        ))}
        {graph.nodes.map((node, index) => {
          const { x, y } = placed.nodes[node.name];
          const state = props.states.get(node.name);
          const badge = props.badges?.get(node.name);
          const status: Status = state?.status ?? 'pending';
          const strip = props.strips.get(node.name);
          const text = props.badges
            ? [
                badge && statusText(trans, badge),
                node.foreach && trans.__('for each %1', node.foreach)
              ]
                .filter(Boolean)
                .join(' · ')
            : note(node, state, now, trans, props.error ?? null, props.over ?? false);
          const many = node.line.length > 0 || node.foreach !== null;
          return (
            <g
              key={node.name}
              className="jp-nbflow-Graph-node"
              data-step={node.name}
              data-status={props.badges ? undefined : status}
              data-badge={badge}
              data-many={many}
              aria-pressed={props.selected === node.name}
              tabIndex={
                props.selected === node.name || (!props.selected && index === 0) ? 0 : -1
              }
              role="button"
              aria-label={`${node.name}: ${badge ? statusText(trans, badge) : statusText(trans, status)}, ${text}`}
              transform={`translate(${x - NODE_WIDTH / 2},${y - NODE_HEIGHT / 2})`}
              onClick={() => props.onSelect(node.name)}
              onDoubleClick={() => props.onOpen?.(node.name)}
              onKeyDown={event => go(event, node.name)}
              onMouseEnter={() => setHovered(node.name)}
              onMouseLeave={() => setHovered(null)}
            >
              <title>{state?.waits || node.doc || node.name}</title>
              {many && (
                <>
                  <rect
                    className="jp-nbflow-Graph-stack"
                    x={6}
                    y={-5}
                    width={NODE_WIDTH - 12}
                    height={NODE_HEIGHT}
                    rx={6}
                  />
                  <rect
                    className="jp-nbflow-Graph-stack"
                    x={3}
                    y={-2.5}
                    width={NODE_WIDTH - 6}
                    height={NODE_HEIGHT}
                    rx={6}
                  />
                </>
              )}
              <rect
                className="jp-nbflow-Graph-box"
                width={NODE_WIDTH}
                height={NODE_HEIGHT}
                rx={6}
              />
              <rect
                className="jp-nbflow-Graph-side"
                width={4}
                height={NODE_HEIGHT - 12}
                x={0}
                y={6}
                rx={2}
              />
              <g transform={`translate(12,${text ? 7 : 15})${turned(status, now)}`}>
                {props.badges ? (
                  <circle className="jp-nbflow-Graph-dot" cx={8} cy={8} r={4.5} />
                ) : (
                  <Glyph status={status} trans={trans} />
                )}
              </g>
              <text className="jp-nbflow-Graph-name" x={34} y={text ? 20 : 28}>
                {cut(node.name, 16)}
              </text>
              <text className="jp-nbflow-Graph-note" x={34} y={34}>
                {cut(text, 23)}
              </text>
              {many && strip && strip.count > 0 && (
                <g transform={`translate(8,${NODE_HEIGHT - 6})`}>
                  <Strip
                    strip={runs(strip.status, strip.total)}
                    width={NODE_WIDTH - 16}
                    height={4}
                    label={text}
                  />
                </g>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}
