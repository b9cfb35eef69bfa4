/** When each task ran: one lane where tasks do not overlap, more where they do. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { duration } from '../models/format';
import { isFinal, RunPageModel } from '../models/runpage';
import { ticks, timeline } from '../models/timeline';
import { useNow, useRows, useWidth } from './hooks';
import { Empty, statusText } from './parts';

const LANE = 20;
const NAMES = 132;

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
                {duration(mark)}
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
                    {thin(lane.bars, x).map(bar => (
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
                    ))}
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

/** Of bars that would be drawn on one pixel, the first; failed ones always stay. */
function thin<T extends { start: number; seconds: number; status: string }>(
  bars: readonly T[],
  x: (seconds: number) => number
): T[] {
  let last = -Infinity;
  return bars.filter(bar => {
    const end = x(bar.start + bar.seconds);
    if (end - last < 1 && bar.status !== 'failed') {
      return false;
    }
    last = end;
    return true;
  });
}
