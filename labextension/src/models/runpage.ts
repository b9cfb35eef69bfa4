/** A run's page: what is known of the run, what is selected, and changes as they come. */

import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { Api } from '../api';
import { Live } from '../live';
import {
  IChange,
  ICode,
  IGraph,
  IHeatStrip,
  IRunDetail,
  IStepState,
  RunStatus
} from '../wire';

export type Tab =
  'overview' | 'tasks' | 'log' | 'outputs' | 'artifacts' | 'code' | 'environment';

export type View = 'graph' | 'timeline';

export interface IPageState {
  step: string | null;
  key: string | null;
  tab: Tab;
  view: View;
}

/** Milliseconds between two looks at what a running run's tasks do. */
const PACE = 700;

/** Whether a run will not change any more. */
export function isFinal(status: RunStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** The model behind one page. */
export class RunPageModel implements IDisposable {
  constructor(
    readonly api: Api,
    private readonly live: Live,
    readonly path: string,
    state: Partial<IPageState> = {}
  ) {
    this.state = { step: null, key: null, tab: 'overview', view: 'graph', ...state };
    live.changed.connect(this.onChange, this);
    void this.load();
  }

  readonly changed = new Signal<this, void>(this);
  readonly stateChanged = new Signal<this, IPageState>(this);
  detail: IRunDetail | null = null;
  graph: IGraph | null = null;
  states = new Map<string, IStepState>();
  strips = new Map<string, IHeatStrip>();
  code: ICode | null = null;
  error: string | null = null;
  gone = false;
  state: IPageState;
  /** Counts up when tasks may have changed: what shows them asks again. */
  revision = 0;

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this.live.changed.disconnect(this.onChange, this);
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  /** Select a step, a task of it, or nothing; and show a tab. */
  select(change: Partial<IPageState>): void {
    this.state = { ...this.state, ...change };
    if (change.step !== undefined && change.key === undefined) {
      this.state.key = null;
    }
    this.stateChanged.emit(this.state);
    this.changed.emit();
  }

  /** The task that log, outputs and artifacts are shown of: the selected one, or a telling one. */
  get task(): { step: string; key: string } | null {
    const { step, key } = this.state;
    if (step === null) {
      return null;
    }
    return { step, key: key ?? this.tellingKey(step) };
  }

  /** Whether a step has several tasks. */
  fansOut(step: string): boolean {
    const node = this.graph?.nodes.find(other => other.name === step);
    return (node?.line.length ?? 0) > 0 || node?.foreach != null;
  }

  async load(): Promise<void> {
    const since: IChange[] = (this._since = []);
    try {
      const [detail, graph] = await Promise.all([
        this.api.run(this.path),
        this.api.graph(this.path)
      ]);
      if (this._disposed || since !== this._since) {
        return;
      }
      this._since = null;
      this.detail = detail;
      this.graph = graph;
      this.error = null;
      this.takeStates(graph.states);
      // an answer may be older than what was told while it was on its way
      since.forEach(change => this.take(change));
      const failed = detail.error?.step;
      if (failed && this.state.step === null) {
        this.state = { ...this.state, step: failed, key: detail.error?.task ?? null };
      }
      this.changed.emit();
      await this.loadStrips(graph.nodes.map(node => node.name));
    } catch (reason) {
      if (since !== this._since) {
        return;
      }
      this._since = null;
      this.error = reason instanceof Error ? reason.message : String(reason);
      this.changed.emit();
    }
  }

  async loadCode(): Promise<void> {
    if (!this.code) {
      this.code = await this.api.code(this.path);
      this.changed.emit();
    }
  }

  private tellingKey(step: string): string {
    if (!this.fansOut(step)) {
      return '';
    }
    const strip = this.strips.get(step);
    const at = Math.max(0, strip?.status.indexOf('f') ?? 0);
    return strip?.keys ? (strip.keys[at] ?? '0') : String(at);
  }

  private onChange(_: unknown, change: IChange): void {
    if (change.kind === 'reset') {
      void this.load();
    } else if (
      change.store === this.api.store &&
      (change.path === this.path || change.run?.run === this.path)
    ) {
      this._since?.push(change);
      this.take(change);
    }
  }

  private take(change: IChange): void {
    if (change.kind === 'deleted') {
      this.gone = true;
      this.changed.emit();
      return;
    }
    if (change.run && this.detail) {
      const ended = isFinal(change.run.status) && !isFinal(this.detail.row.status);
      this.detail = { ...this.detail, row: change.run };
      if (ended) {
        void this.load();
      }
    }
    const names = this.takeStates(
      change.steps.length ? change.steps : (change.run?.steps ?? [])
    );
    this.later(names);
    this.changed.emit();
  }

  /** Tasks of the run: the more there are, the more rarely they are looked at. */
  private get size(): number {
    return [...this.states.values()].reduce((sum, state) => sum + (state.total ?? 0), 0);
  }

  private takeStates(states: readonly IStepState[]): string[] {
    const different = states.filter(
      state => JSON.stringify(state) !== JSON.stringify(this.states.get(state.name))
    );
    different.forEach(state => this.states.set(state.name, state));
    return different.map(state => state.name);
  }

  /** Ask for the strips of steps that moved, at a pace that a fan-out of thousands can bear. */
  private later(names: readonly string[]): void {
    names.forEach(name => this._moved.add(name));
    if (this._moved.size && !this._timer) {
      this._timer = window.setTimeout(
        () => {
          this._timer = 0;
          const moved = [...this._moved];
          this._moved.clear();
          void this.loadStrips(moved);
        },
        PACE + this.size / 10
      );
    }
  }

  private async loadStrips(names: readonly string[]): Promise<void> {
    const strips = await Promise.all(
      names.map(name => this.api.strip(this.path, name).catch(() => null))
    );
    if (this._disposed) {
      return;
    }
    strips.forEach(strip => strip && this.strips.set(strip.step, strip));
    this.revision += 1;
    this.changed.emit();
  }

  /** What was told since the run was asked for; null where no answer is on its way. */
  private _since: IChange[] | null = null;
  private readonly _moved = new Set<string>();
  private _timer = 0;
  private _disposed = false;
}
