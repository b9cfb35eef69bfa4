/** When each task ran: one lane where tasks do not overlap, more where they do. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { duration } from '../models/format';
import { isFinal, RunPageModel } from '../models/runpage';
import { IBar, ILane, tick, ticks, timeline } from '../models/timeline';
import { Status } from '../wire';
import { useNow, useRows, useWidth } from './hooks';
import { Empty, statusText } from './parts';

const LANE = 20;
const NAMES = 132;
/** Bars of a lane beyond which they are one picture. */
const DENSE = 120;

export function Timeline(props: {
  model: RunPageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const row = model.detail!.row;
  const running = !isFinal(row.status);
  const now = useNow(running, 1000);
  const [outer, width] = useWidth();
  const steps = model.graph!.nodes.map(node => node.name);
  const since = row.started ?? row.created;
  const elapsed = running ? Math.max(0, now - since) : null;
  const data = React.useMemo(
    () => timeline(steps, model.strips, elapsed),
    [model.revision, elapsed]
  );
  const rows = useRows(data.lanes.length, LANE, 10);
  const span = Math.max(data.span, 0.001);
  const room = Math.max(60, width - NAMES - 24);
  const x = (seconds: number) => (seconds / span) * room;
  const { step, key } = model.state;
  const drawn = data.lanes.some(lane => lane.bars.length > 0);
  const marks = ticks(span, room / 90);
  return (
    <div className="jp-nbflow-Timeline" ref={outer}>
      {!drawn && <Empty>{trans.__('No task of this run has started.')}</Empty>}
      {drawn && (
        <>
          <div className="jp-nbflow-Timeline-axis" style={{ paddingLeft: NAMES }}>
            {marks.map(mark => (
              <span key={mark} style={{ left: NAMES + x(mark) }}>
                {tick(mark, marks[1])}
              </span>
            ))}
          </div>
          <div
            className="jp-nbflow-Timeline-lanes"
            ref={rows.box}
            tabIndex={0}
            role="group"
            aria-label={trans.__('When each task ran')}
          >
            <div style={{ height: rows.height, position: 'relative' }}>
              {marks.map(mark => (
                <i
                  key={mark}
                  className="jp-nbflow-Timeline-line"
                  style={{ left: NAMES + x(mark) }}
                />
              ))}
              {data.lanes.slice(rows.first, rows.last).map((lane, offset) => {
                const index = rows.first + offset;
                return (
                  <div
                    key={index}
                    className="jp-nbflow-Timeline-lane"
                    data-selected={lane.step === step}
                    data-head={lane.head}
                    style={{ top: index * LANE, height: LANE }}
                  >
                    {lane.head && (
                      <button
                        type="button"
                        className="jp-nbflow-Timeline-name"
                        style={{ width: NAMES - 8 }}
                        onClick={() => model.select({ step: lane.step })}
                      >
                        {lane.step}
                      </button>
                    )}
                    {lane.bars.length > DENSE ? (
                      <Dense
                        lane={lane}
                        left={NAMES}
                        width={room}
                        span={span}
                        onSelect={bar => model.select({ step: bar.step, key: bar.key })}
                      />
                    ) : (
                      lane.bars.map(bar => (
                        <button
                          key={bar.key}
                          type="button"
                          tabIndex={-1}
                          className="jp-nbflow-Timeline-bar"
                          data-status={bar.status}
                          data-selected={bar.step === step && bar.key === key}
                          style={{
                            left: NAMES + x(bar.start),
                            width: Math.max(2, x(bar.seconds))
                          }}
                          title={`${bar.step}${bar.key && ` ${bar.key}`}: ${statusText(trans, bar.status)}, ${duration(bar.seconds)}`}
                          aria-label={`${bar.step} ${bar.key}, ${statusText(trans, bar.status)}, ${duration(bar.seconds)}`}
                          onClick={() => model.select({ step: bar.step, key: bar.key })}
                        />
                      ))
                    )}
                  </div>
                );
              })}
            </div>
          </div>
        </>
      )}
    </div>
  );
}

/** A lane of very many bars, as one picture: a click finds the bar below it. */
function Dense(props: {
  lane: ILane;
  left: number;
  width: number;
  span: number;
  onSelect(bar: IBar): void;
}): JSX.Element {
  const { lane, width, span } = props;
  const paths = React.useMemo(() => {
    const drawn = new Map<Status, string>();
    let last = -Infinity;
    for (const bar of lane.bars) {
      const from = (bar.start / span) * width;
      const to = Math.max(from + 1, ((bar.start + bar.seconds) / span) * width);
      // of bars on one pixel the first is drawn; failed ones always are
      if (to - last >= 1 || bar.status === 'failed') {
        last = to;
        const more = `M${from.toFixed(1)},3H${to.toFixed(1)}V${LANE - 3}H${from.toFixed(1)}z`;
        drawn.set(bar.status, (drawn.get(bar.status) ?? '') + more);
      }
    }
    // what failed lies on top
    return [...drawn].sort(([a], [b]) => Number(a === 'failed') - Number(b === 'failed'));
  }, [lane.bars, width, span]);
  const select = (event: React.MouseEvent) => {
    const at = (event.nativeEvent.offsetX / width) * span;
    const near = (bar: IBar) => Math.max(bar.start - at, at - bar.start - bar.seconds, 0);
    props.onSelect(
      lane.bars.reduce((best, bar) => (near(bar) < near(best) ? bar : best))
    );
  };
  return (
    <svg
      className="jp-nbflow-Timeline-dense"
      style={{ left: props.left }}
      width={width}
      height={LANE}
      aria-hidden="true"
      onClick={select}
    >
      {paths.map(([status, path]) => (
        <path key={status} data-status={status} d={path} />
      ))}
    </svg>
  );
}
