/** The heat strip of a fan-out: many tasks in few coloured pieces. */

import { Status } from '../wire';

/** The letters of a heat strip, as the server writes them. */
const LETTERS: Record<string, Status> = {
  p: 'pending',
  r: 'running',
  s: 'succeeded',
  f: 'failed',
  k: 'skipped',
  c: 'cached',
  x: 'cancelled',
  l: 'lost'
};

/** The status that a letter stands for. */
export function letterStatus(letter: string): Status {
  return LETTERS[letter] ?? 'pending';
}

/** Equal letters beside each other, counted; tasks without a record yet are pending. */
export function runs(letters: string, total: number | null): [Status, number][] {
  const out: [Status, number][] = [];
  const push = (status: Status, count: number) => {
    const last = out.at(-1);
    if (last?.[0] === status) {
      last[1] += count;
    } else if (count > 0) {
      out.push([status, count]);
    }
  };
  for (const letter of letters) {
    push(letterStatus(letter), 1);
  }
  push('pending', (total ?? letters.length) - letters.length);
  return out;
}

export interface ISegment {
  status: Status;
  /** Share of the strip, from 0 to 1. */
  share: number;
}

/** Worst first: what a piece that stands for several tasks is coloured by. */
const RANK: Status[] = [
  'failed',
  'lost',
  'cancelled',
  'running',
  'pending',
  'skipped',
  'cached',
  'succeeded'
];

/** Tasks in order in at most `pieces` pieces; a piece of several shows the worst of them. */
export function segments(strip: readonly [Status, number][], pieces: number): ISegment[] {
  const total = strip.reduce((sum, [, count]) => sum + count, 0);
  if (!total) {
    return [];
  }
  const size = Math.max(1, total / pieces);
  const out: ISegment[] = [];
  let at = 0;
  let worst: Status | null = null;
  let filled = 0;
  const push = (status: Status, share: number) => {
    const last = out.at(-1);
    if (last?.status === status) {
      last.share += share;
    } else {
      out.push({ status, share });
    }
  };
  for (const [status, count] of strip) {
    let left = count;
    while (left > 1e-9) {
      const room = size - filled;
      const part = Math.min(left, room);
      worst =
        worst === null || RANK.indexOf(status) < RANK.indexOf(worst) ? status : worst;
      filled += part;
      left -= part;
      at += part;
      if (size - filled < 1e-9 || at >= total - 1e-9) {
        push(worst, filled / total);
        filled = 0;
        worst = null;
      }
    }
  }
  return out;
}
