/** Answers that are older than what the stream has told meanwhile. */

import { Signal } from '@lumino/signaling';

import { Api } from '../../api';
import { Live } from '../../live';
import { IChange, IGraph, IRunDetail, IRunPage, IRunRow, IStepState } from '../../wire';
import { RunList } from '../runlist';
import { RunPageModel } from '../runpage';

// the page has a clock, and no more of a window is needed
Object.assign(globalThis, { window: globalThis });

const ROW = {
  run: 'churn/1',
  id: 1,
  flow: 'churn',
  number: 1,
  status: 'running',
  error: null,
  steps: []
} as unknown as IRunRow;
const ENDED: IRunRow = { ...ROW, status: 'succeeded' };

function state(status: IStepState['status']): IStepState {
  return {
    name: 'load',
    status,
    counts: {},
    done: Number(status === 'succeeded'),
    total: 1,
    started: 1,
    finished: null,
    waits: null
  };
}

/** A question that is answered when the test says so. */
function question<T>() {
  const answers: ((value: T) => void)[] = [];
  return {
    answers,
    ask: () => new Promise<T>(resolve => answers.push(resolve))
  };
}

const settled = () => new Promise(resolve => setTimeout(resolve));

describe('the page of a run', () => {
  it('shows the end of a run that ended before the first answer came', async () => {
    const runs = question<IRunDetail>();
    const graphs = question<IGraph>();
    const told = new Signal<object, IChange>({});
    const api = {
      store: '',
      run: runs.ask,
      graph: graphs.ask,
      strip: () => Promise.resolve(null)
    } as unknown as Api;
    const model = new RunPageModel(api, { changed: told } as unknown as Live, 'churn/1');
    told.emit({
      seq: 2,
      kind: 'run',
      store: '',
      path: 'churn/1',
      run: ENDED,
      steps: [state('succeeded')]
    });
    const answer = async (row: IRunRow, status: IStepState['status']) => {
      runs.answers.pop()!({ row, error: null } as unknown as IRunDetail);
      graphs.answers.pop()!({ nodes: [], edges: [], states: [state(status)] });
      await settled();
    };
    await answer(ROW, 'running');
    expect(model.detail?.row.status).toBe('succeeded');
    expect(model.states.get('load')).toEqual(state('succeeded'));
    // as it has ended, its error and what else is final are asked for
    expect(runs.answers).toHaveLength(1);
    await answer(ENDED, 'succeeded');
    expect(runs.answers).toHaveLength(0);
    model.dispose();
  });
});

describe('the list of runs', () => {
  it('keeps a change that came while the page was on its way', async () => {
    const pages = question<IRunPage>();
    const list = new RunList(pages.ask);
    const page: IRunPage = { runs: [ROW], next: null, total: 1, seq: 1 };
    const first = list.refresh();
    pages.answers.pop()!(page);
    await first;
    const second = list.refresh();
    list.merge(ENDED);
    pages.answers.pop()!(page);
    await second;
    expect(list.runs).toEqual([ENDED]);
    // what was told before an answer was asked for is in the answer
    const third = list.refresh();
    pages.answers.pop()!({ ...page, runs: [{ ...ENDED, tags: ['prod'] }] });
    await third;
    expect(list.runs).toEqual([{ ...ENDED, tags: ['prod'] }]);
  });
});
