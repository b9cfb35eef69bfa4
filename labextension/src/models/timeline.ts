/** Bars of the timeline: all tasks of a run on rows, each row a lane where tasks do not overlap. */

import { IHeatStrip, Status } from '../wire';
import { duration } from './format';
import { letterStatus } from './strip';

export interface IBar {
  step: string;
  key: string;
  status: Status;
  /** Seconds after the run's start. */
  start: number;
  seconds: number;
}

export interface ILane {
  step: string;
  /** The first lane of its step bears its name. */
  head: boolean;
  bars: IBar[];
}

export interface ITimeline {
  lanes: ILane[];
  /** Seconds from the run's start to its end, or to now. */
  span: number;
  /** Tasks that are not drawn, as their records have no times. */
  hidden: number;
}

/** Steps in order, each on as few lanes as its tasks need. `now` is seconds after the start. */
export function timeline(
  steps: readonly string[],
  strips: ReadonlyMap<string, IHeatStrip>,
  now: number | null
): ITimeline {
  const lanes: ILane[] = [];
  let span = now ?? 0;
  let hidden = 0;
  for (const step of steps) {
    const bars: IBar[] = [];
    const strip = strips.get(step);
    for (let i = 0; i < (strip?.count ?? 0); i++) {
      const start = strip!.start[i];
      const status = letterStatus(strip!.status[i]);
      if (
        start === null ||
        start === undefined ||
        status === 'cached' ||
        status === 'skipped'
      ) {
        hidden += 1;
        continue;
      }
      const seconds = strip!.seconds[i] ?? Math.max(0, (now ?? start) - start);
      bars.push({ step, key: strip!.keys?.[i] ?? String(i), status, start, seconds });
      span = Math.max(span, start + seconds);
    }
    bars.sort((a, b) => a.start - b.start);
    lanes.push(...stack(step, bars));
  }
  return { lanes, span, hidden };
}

/** Put bars, sorted by start, on the lane that has been free for longest. */
function stack(step: string, bars: readonly IBar[]): ILane[] {
  const lanes: ILane[] = [{ step, head: true, bars: [] }];
  const free = [-Infinity];
  for (const bar of bars) {
    let at = free.findIndex(end => end <= bar.start + 1e-9);
    if (at < 0) {
      at = lanes.length;
      lanes.push({ step, head: false, bars: [] });
      free.push(0);
    }
    lanes[at].bars.push(bar);
    free[at] = bar.start + bar.seconds;
  }
  return lanes;
}

/** What a line of the axis is called: no two of them alike, however close they are. */
export function tick(at: number, distance: number): string {
  return distance < 0.1 ? `${Math.round(at * 1000)} ms` : duration(at);
}

/** Round distances between the lines of an axis. */
export function ticks(span: number, count: number): number[] {
  if (span <= 0) {
    return [0];
  }
  const rough = span / Math.max(1, count);
  const steps = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30
  ];
  const long = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  const distance =
    [...steps, ...long].find(step => step >= rough) ?? Math.ceil(rough / 86400) * 86400;
  const out: number[] = [];
  for (let at = 0; at <= span + 1e-9; at += distance) {
    out.push(Number(at.toFixed(6)));
  }
  return out;
}
