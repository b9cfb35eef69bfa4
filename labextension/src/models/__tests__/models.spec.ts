import {
  IGraphNode,
  IHeatStrip,
  IParameterField,
  IRunRow,
  IStepRun,
  IStoreInfo
} from '../../wire';
import { stepBadge } from '../cellstates';
import { place } from '../layout';
import { LogTail } from '../logtail';
import { changed, choices, editor, fieldValue } from '../parameters';
import { columns, linear } from '../plots';
import { NO_FILTER, RunList } from '../runlist';
import { runs, segments } from '../strip';
import { tick, ticks, timeline } from '../timeline';

function row(id: number, change: Partial<IRunRow> = {}): IRunRow {
  return {
    run: `flow/${id}`,
    id,
    flow: 'flow',
    number: id,
    status: 'succeeded',
    created: id,
    started: id,
    finished: id + 1,
    engine: 'dask',
    branch: null,
    tags: [],
    user: 'u',
    version: '0+1',
    notebook: null,
    params: {},
    metrics: {},
    error: null,
    cancelling: false,
    flags: 0,
    steps: [],
    ...change
  };
}

/** A server with runs `count` to 1. */
function server(count: number) {
  return jest.fn((_: unknown, cursor: string | null, limit: number) => {
    const first = cursor === null ? count : Number(cursor);
    const size = Math.min(limit, first);
    return Promise.resolve({
      runs: Array.from({ length: size }, (__, at) => row(first - at)),
      next: first > size ? String(first - size) : null,
      total: count,
      seq: 1
    });
  });
}

describe('the list of runs', () => {
  it('begins with the first store that is there', async () => {
    const asked: string[] = [];
    const begin = async (stores: Promise<IStoreInfo[]>) => {
      const list: RunList = new RunList(() => {
        asked.push(list.store);
        return Promise.resolve({ runs: [], next: null, total: 0, seq: 0 });
      });
      await list.begin(stores);
    };
    const store = (name: string, exists: boolean) => ({
      name,
      exists,
      default: name === ''
    });
    await begin(Promise.resolve([store('', false), store('a', true), store('b', true)]));
    await begin(Promise.resolve([store('', true), store('a', true)]));
    await begin(Promise.resolve([store('', false)]));
    await begin(Promise.reject(new Error('no answer')));
    expect(asked).toEqual(['a', '', '', '']);
  });

  it('grows page by page and keeps what it has', async () => {
    const list = new RunList(server(450));
    await list.refresh();
    expect(list.runs).toHaveLength(200);
    await list.loadMore();
    await list.loadMore();
    expect(list.runs.map(run => run.id)).toEqual(
      Array.from({ length: 450 }, (_, at) => 450 - at)
    );
    expect(list.more).toBe(false);
    await list.refresh();
    expect(list.runs).toHaveLength(450);
  });

  it('drops the answer to an older question', async () => {
    const waiting: (() => void)[] = [];
    const list = new RunList(filter => {
      return new Promise(resolve =>
        waiting.push(() =>
          resolve({
            runs: [row(filter.flow === 'b' ? 2 : 1)],
            next: null,
            total: 1,
            seq: 1
          })
        )
      );
    });
    const first = list.setFilter({ ...NO_FILTER, flow: 'a' });
    const second = list.setFilter({ ...NO_FILTER, flow: 'b' });
    waiting[1]();
    waiting[0]();
    await Promise.all([first, second]);
    expect(list.runs.map(run => run.id)).toEqual([2]);
  });

  it('merges changes in place and forgets what is deleted', async () => {
    const list = new RunList(server(3));
    await list.refresh();
    list.toggle('flow/2');
    expect(list.merge(row(2, { status: 'failed' }))).toBe(true);
    expect(list.merge(row(9))).toBe(false);
    expect(list.runs.map(run => run.status)).toEqual([
      'succeeded',
      'failed',
      'succeeded'
    ]);
    list.remove('flow/2');
    expect(list.runs).toHaveLength(2);
    expect(list.selected.size).toBe(0);
  });

  it('says what went wrong', async () => {
    const list = new RunList(() => Promise.reject(new Error('no server')));
    await list.refresh();
    expect(list.error).toBe('no server');
  });
});

describe('heat strips', () => {
  it('count equal letters, and tasks without a record', () =>
    expect(runs('ssfr', 6)).toEqual([
      ['succeeded', 2],
      ['failed', 1],
      ['running', 1],
      ['pending', 2]
    ]));

  it('never hide a failure', () => {
    const shown = segments(
      [
        ['succeeded', 9999],
        ['failed', 1],
        ['succeeded', 10000]
      ],
      50
    );
    expect(shown.map(one => one.status)).toEqual(['succeeded', 'failed', 'succeeded']);
    expect(shown.reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1);
  });
});

describe('the timeline', () => {
  const strip = (step: string, start: number[], seconds: number[]): IHeatStrip => ({
    step,
    count: start.length,
    total: start.length,
    status: 's'.repeat(start.length),
    keys: null,
    start,
    seconds
  });

  it('stacks tasks that overlap', () => {
    const strips = new Map([['train', strip('train', [0, 1, 2], [1.5, 3, 1])]]);
    const { lanes, span } = timeline(['train', 'report'], strips, null);
    expect(lanes.map(lane => [lane.step, lane.bars.map(bar => bar.key)])).toEqual([
      ['train', ['0', '2']],
      ['train', ['1']],
      ['report', []]
    ]);
    expect(span).toBe(4);
  });

  it('has round ticks', () => expect(ticks(11, 6)).toEqual([0, 2, 4, 6, 8, 10]));

  it('calls no two ticks alike', () => {
    for (const span of [0.004, 0.03, 0.34, 0.9, 1.4, 7, 60, 400, 9000]) {
      const marks = ticks(span, 11);
      const names = marks.map(mark => tick(mark, marks[1]));
      expect(new Set(names).size).toBe(marks.length);
    }
  });
});

describe('the graph', () => {
  it('places a fan-out of any size as one node', () => {
    const node = (name: string) =>
      ({ name, line: name === 'b' ? ['b'] : [] }) as IGraphNode;
    const placed = place(
      {
        nodes: [node('a'), node('b'), node('c')],
        edges: [
          { source: 'a', target: 'b', names: ['x'] },
          { source: 'b', target: 'c', names: [] }
        ],
        states: []
      },
      'LR'
    );
    expect(Object.keys(placed.nodes)).toEqual(['a', 'b', 'c']);
    expect(placed.nodes.a.x).toBeLessThan(placed.nodes.b.x);
    expect(placed.edges).toHaveLength(2);
  });
});

describe('the form', () => {
  const field = (
    annotation: string | null,
    value: IParameterField['value'],
    schema = {}
  ) => ({ name: 'p', annotation, value, schema, type: '' }) as unknown as IParameterField;

  it.each([
    [field('bool', true), 'check'],
    [field('float', 0.1), 'number'],
    [field('list[str]', ['a']), 'text'],
    [field("Literal['a', 'b']", 'a', { enum: ['a', 'b'] }), 'choice']
  ])('%# suits the type', (one, kind) => expect(editor(one)).toBe(kind));

  it('reads what was typed', () => {
    expect(fieldValue(field('str', 'x'), '12')).toBe('12');
    expect(fieldValue(field('float', 1), '0.5')).toBe(0.5);
    expect(fieldValue(field('list[str]', []), "['a', 'b']")).toEqual(['a', 'b']);
    expect(fieldValue(field('int | None', 3), 'None')).toBeNull();
    expect(choices(field(null, 1))).toEqual([]);
  });

  it('sends what differs from the default only', () =>
    expect(changed([field('int', 1)], { p: 2 })).toEqual({ p: 2 }));
});

describe('plots', () => {
  const compared = (name: string, values: (number | string | null)[]) => ({
    name,
    values,
    present: values.map(() => true),
    differs: true
  });

  it('draw numbers and a few names', () => {
    const found = columns(
      [
        compared('a', [1, null, 3]),
        compared('b', ['x', 'y', 'x']),
        compared('c', ['same', 'same'])
      ],
      'parameter'
    );
    expect(found.map(one => [one.name, one.values, one.labels])).toEqual([
      ['a', [1, null, 3], null],
      ['b', [0, 1, 0], ['x', 'y']]
    ]);
  });

  it('have round ends', () => {
    const scale = linear([0.42, 0.53], 0, 100);
    expect(scale.ticks[0]).toBe(0.4);
    expect(scale(scale.ticks.at(-1)!)).toBeCloseTo(100);
  });

  it('are whole where all values are', () => {
    expect(linear([4, 5, null], 0, 100).ticks).toEqual([4, 5]);
  });
});

describe('badges', () => {
  const ran = (status: IStepRun['status'], code = 'c1'): IStepRun => ({
    run: 'flow/1',
    status,
    created: 0,
    started: 0,
    finished: 1,
    engine: 'dask',
    code
  });

  it.each([
    [[], 'c1', 'never'],
    [[ran('succeeded')], 'c1', 'fresh'],
    [[ran('cached')], 'c1', 'fresh'],
    [[ran('succeeded')], 'c2', 'stale'],
    [[ran('succeeded')], null, 'stale'],
    [[ran('failed')], 'c1', 'failed'],
    [[ran('running'), ran('succeeded')], 'c2', 'running'],
    [[ran('pending'), ran('succeeded')], 'c1', 'fresh']
  ])('of %j with code %p is %p', (all, code, state) =>
    expect(stepBadge({ name: 'train', runs: all as IStepRun[] }, code).state).toBe(state)
  );
});

describe('a log', () => {
  it('follows from where it was', async () => {
    const text = 'one\ntwo\nthr';
    let written = 7;
    const log = new LogTail(query => {
      const start = query.start ?? 0;
      return Promise.resolve({
        start,
        end: written,
        size: written,
        complete: written === text.length,
        text: text.slice(start, written)
      });
    });
    await log.follow();
    expect(log.shown).toEqual(['one', 'two']);
    written = text.length;
    await log.follow();
    expect(log.shown).toEqual(['one', 'two', 'thr']);
    expect(log.complete).toBe(true);
  });

  it('holds no more than it may, of its end or of its start', async () => {
    let size = 30;
    const log = new LogTail(query => {
      const start = query.tail ? size - 10 : query.start;
      const end = Math.min(size, start + 10);
      const text = 'x'.repeat(end - start);
      return Promise.resolve({ start, end, size, complete: false, text });
    }, 15);
    await log.follow();
    expect([log.start, log.end, log.cut]).toEqual([20, 30, false]);
    size = 50;
    await log.follow();
    expect([log.start, log.end]).toEqual([20, 40]);
    await log.follow();
    expect([log.start, log.end, log.shown]).toEqual([40, 50, ['x'.repeat(10)]]);
    await log.whole();
    expect([log.start, log.end, log.cut, log.size]).toEqual([0, 20, true, 50]);
    await log.follow();
    expect(log.end).toBe(20);
  });
});
