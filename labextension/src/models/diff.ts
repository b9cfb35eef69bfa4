/** Line differences of two texts: the longest common subsequence, after equal ends are cut off. */

export interface IDiffLine {
  kind: 'same' | 'added' | 'removed';
  text: string;
  /** Line numbers from 1 on either side; null where the side has no such line. */
  left: number | null;
  right: number | null;
}

/** Beyond this many pairs of lines the middle is shown as replaced as a whole. */
const PAIRS = 4_000_000;

/** All lines of both texts in order. */
export function diffLines(left: string, right: string): IDiffLine[] {
  const a = left === '' ? [] : left.replace(/\n$/, '').split('\n');
  const b = right === '' ? [] : right.replace(/\n$/, '').split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) {
    head += 1;
  }
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  ) {
    tail += 1;
  }
  const out: IDiffLine[] = [];
  const same = (i: number, j: number) =>
    out.push({ kind: 'same', text: a[i], left: i + 1, right: j + 1 });
  const removed = (i: number) =>
    out.push({ kind: 'removed', text: a[i], left: i + 1, right: null });
  const added = (j: number) =>
    out.push({ kind: 'added', text: b[j], left: null, right: j + 1 });

  for (let i = 0; i < head; i++) {
    same(i, i);
  }
  const endA = a.length - tail;
  const endB = b.length - tail;
  const table = common(a.slice(head, endA), b.slice(head, endB));
  let i = head;
  let j = head;
  while (i < endA && j < endB && table) {
    if (a[i] === b[j]) {
      same(i++, j++);
    } else if (table(i - head + 1, j - head) >= table(i - head, j - head + 1)) {
      removed(i++);
    } else {
      added(j++);
    }
  }
  while (i < endA) {
    removed(i++);
  }
  while (j < endB) {
    added(j++);
  }
  for (let k = 0; k < tail; k++) {
    same(endA + k, endB + k);
  }
  return out;
}

/** Lengths of the common subsequences of all suffixes; null where there are too many. */
function common(a: string[], b: string[]): ((i: number, j: number) => number) | null {
  if (a.length * b.length > PAIRS) {
    return null;
  }
  const width = b.length + 1;
  const cells = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      cells[i * width + j] =
        a[i] === b[j]
          ? cells[(i + 1) * width + j + 1] + 1
          : Math.max(cells[(i + 1) * width + j], cells[i * width + j + 1]);
    }
  }
  return (i, j) => cells[i * width + j];
}

export interface IHunk {
  /** Unchanged lines left out before this hunk. */
  hidden: number;
  lines: IDiffLine[];
}

/** The changed lines with a few unchanged ones around them; none where nothing changed. */
export function hunks(lines: readonly IDiffLine[], context = 3): IHunk[] {
  const keep = new Array<boolean>(lines.length).fill(false);
  lines.forEach((line, index) => {
    if (line.kind !== 'same') {
      const end = Math.min(lines.length - 1, index + context);
      for (let k = Math.max(0, index - context); k <= end; k++) {
        keep[k] = true;
      }
    }
  });
  const out: IHunk[] = [];
  let hidden = 0;
  lines.forEach((line, index) => {
    if (!keep[index]) {
      hidden += 1;
      return;
    }
    if (index === 0 || !keep[index - 1]) {
      out.push({ hidden, lines: [] });
      hidden = 0;
    }
    out[out.length - 1].lines.push(line);
  });
  return out;
}
