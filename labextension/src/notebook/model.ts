/** A notebook as a flow while it is edited: compiled after each pause, joined with its runs. */

import { Cell } from '@jupyterlab/cells';
import { Notebook, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import { kept, NOTES, toKeep } from '../models/cellnotes';
import { cellTag } from '../models/cells';
import { IStepBadge, inKernel, stepBadge } from '../models/cellstates';
import { HandRuns, withHand } from '../models/handruns';
import { INbflow } from '../tokens';
import {
  IChange,
  ICompiled,
  IDiagnostic,
  IInteractiveTask,
  INotebookState,
  IStepRun
} from '../wire';
import { serverPath, stepOf, tagsOf } from './places';
import { IReply, Replies } from './replies';

export interface INotebookChoices {
  badges: boolean;
  diagnostics: boolean;
  delay: number;
  engine: string;
}

/** Steps' states and diagnostics of one open notebook. */
export class NotebookFlow implements IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    private readonly nbflow: INbflow,
    readonly choices: INotebookChoices
  ) {
    this.compiling = new Debouncer(() => this.compile(), choices.delay);
    this.asking = new Debouncer(() => this.ask(), 250);
    nbflow.live.changed.connect(this.onChange, this);
    panel.context.pathChanged.connect(this.restart, this);
    panel.content.activeCellChanged.connect(this.onActive, this);
    NotebookActions.executionScheduled.connect(this.onBegin, this);
    NotebookActions.executed.connect(this.onEnd, this);
    NotebookActions.outputCleared.connect(this.onCleared, this);
    this.replies = new Replies(panel);
    this.replies.came.connect(this.onReply, this);
    panel.sessionContext.statusChanged.connect(this.onStatus, this);
    void panel.context.ready.then(() => {
      if (!this.isDisposed) {
        panel.content.model?.contentChanged.connect(this.onContent, this);
        this.restart();
      }
    });
  }

  /** Any notebook changed: for editors, which do not know theirs. */
  static readonly anyChanged = new Signal<object, void>({});
  readonly changed = new Signal<this, void>(this);
  compiled: ICompiled | null = null;
  runs: INotebookState | null = null;
  isDisposed = false;

  dispose(): void {
    this.isDisposed = true;
    this.nbflow.live.changed.disconnect(this.onChange, this);
    NotebookActions.executionScheduled.disconnect(this.onBegin, this);
    NotebookActions.executed.disconnect(this.onEnd, this);
    NotebookActions.outputCleared.disconnect(this.onCleared, this);
    this.replies.dispose();
    this.compiling.dispose();
    this.asking.dispose();
    Signal.clearData(this);
  }

  get path(): string {
    return serverPath(this.panel.context.path);
  }

  /** Whether any cell is tagged: other notebooks are left alone. */
  get isFlow(): boolean {
    return this.panel.content.widgets.some(
      cell =>
        cell.model.type === 'code' &&
        cellTag(cell.model.sharedModel.getSource(), tagsOf(cell)) !== null
    );
  }

  /** The newest run of this notebook. */
  get latest(): string | null {
    return this.runs?.runs[0]?.run ?? null;
  }

  /** The store that has its runs. */
  get store(): string {
    return this.runs?.store ?? '';
  }

  /** Where the cell of that id stands; -1 where it is in another notebook. */
  indexOf(id: string): number {
    return this.panel.content.widgets.findIndex(
      cell => cell.model.sharedModel.getId() === id
    );
  }

  /** The state of a step for its cells. */
  badge(step: string): IStepBadge {
    const { runs, code } = this.history(step);
    return inKernel(stepBadge({ name: step, runs }, code), this.kernel.get(step));
  }

  /** Where a step ran so far, newest first, and the hash of its code now. */
  history(step: string): { runs: IStepRun[]; code: string | null } {
    const runs = this.runs?.steps.find(other => other.name === step)?.runs ?? [];
    const code = this.codes.get(step)?.code ?? null;
    const cells = this.cellsOf(step).map(({ model: { sharedModel } }) => ({
      id: sharedModel.getId(),
      source: sharedModel.getSource()
    }));
    return { runs: withHand(runs, this.byHand.of(cells, code)), code };
  }

  /** What the kernel found of a cell when it ran last as it is now. */
  notes(cell: Cell): IDiagnostic[] {
    return kept(cell.model.getMetadata(NOTES), cell.model.sharedModel.getSource());
  }

  /** The same of all cells of a step, each thing once. */
  notesOf(step: string): IDiagnostic[] {
    const all = this.cellsOf(step).flatMap(cell => this.notes(cell));
    return [...new Map(all.map(one => [one.message, one])).values()];
  }

  /** What was tried of a step by hand, in this kernel and in earlier ones. */
  async tried(step: string): Promise<IInteractiveTask[]> {
    return (await this.nbflow.api.interactive(this.path, step)).tasks;
  }

  /** What is wrong in a cell. */
  diagnostics(cell: number): IDiagnostic[] {
    return this.choices.diagnostics
      ? (this.compiled?.diagnostics.filter(found => found.cell === cell) ?? [])
      : [];
  }

  /** The step of the active cell. */
  get activeStep(): string | null {
    const index = this.panel.content.activeCellIndex;
    return this.compiled?.cell_steps[index] ?? null;
  }

  /** Go to a step's first cell. */
  select(step: string): void {
    const index = this.compiled?.cell_steps.indexOf(step) ?? -1;
    if (index >= 0) {
      const { content } = this.panel;
      content.deselectAll();
      content.activeCellIndex = index;
      void content.scrollToItem(index, 'smart');
    }
  }

  redraw(): void {
    this.changed.emit();
    NotebookFlow.anyChanged.emit();
  }

  private cellsOf(step: string): readonly Cell[] {
    return this.panel.content.widgets.filter(cell => stepOf(cell) === step);
  }

  private restart(): void {
    this.runs = null;
    void this.ask().catch(() => undefined);
    void this.compile().catch(() => undefined);
  }

  private onContent(): void {
    void this.compiling.invoke().catch(() => undefined);
  }

  private onBegin(_: unknown, ran: { notebook: Notebook; cell: Cell }): void {
    if (ran.notebook === this.panel.content && stepOf(ran.cell)) {
      const { sharedModel } = ran.cell.model;
      this.byHand.begin(sharedModel.getId(), sharedModel.getSource(), Date.now() / 1000);
      this.redraw();
    }
  }

  private onEnd(
    _: unknown,
    ran: { notebook: Notebook; cell: Cell; success: boolean }
  ): void {
    if (ran.notebook === this.panel.content && stepOf(ran.cell)) {
      this.byHand.end(ran.cell.model.sharedModel.getId(), ran.success, Date.now() / 1000);
      this.redraw();
    }
  }

  private onStatus(_: unknown, status: string): void {
    if (status === 'restarting' || status === 'dead') {
      this.byHand.clear();
      this.kernel = new Map();
      this.redraw();
    }
  }

  /** A cell has run: keep with it what its kernel says, and drop what it said before. */
  private onReply(_: unknown, { cell: id, source, told }: IReply): void {
    const cell = this.panel.content.widgets[this.indexOf(id)];
    if (cell) {
      const keep = toKeep(told?.diagnostics ?? [], source);
      if (keep === null) {
        cell.model.deleteMetadata(NOTES);
      } else {
        cell.model.setMetadata(NOTES, keep);
      }
    }
    if (told) {
      this.kernel = told.steps;
    }
    this.redraw();
  }

  private onCleared(_: unknown, of: { notebook: Notebook; cell: Cell }): void {
    if (of.notebook === this.panel.content) {
      of.cell.model.deleteMetadata(NOTES);
      this.redraw();
    }
  }

  /** What was found of a cell goes with the code that it was found of. */
  private dropOutdated(): void {
    const { dirty } = this.panel.context.model;
    for (const cell of this.panel.content.widgets) {
      if (
        cell.model.getMetadata(NOTES) !== undefined &&
        dirty &&
        this.notes(cell).length === 0
      ) {
        cell.model.deleteMetadata(NOTES);
      }
    }
  }

  private onActive(): void {
    this.changed.emit();
  }

  private onChange(_: unknown, change: IChange): void {
    const mine =
      change.run?.notebook === this.path ||
      (change.path !== null && this.runs?.runs.some(run => run.run === change.path));
    if (mine || change.kind === 'reset') {
      void this.asking.invoke().catch(() => undefined);
    }
  }

  private async compile(): Promise<void> {
    const asked = ++this.asked;
    this.dropOutdated();
    if (!this.isFlow) {
      this.compiled = null;
      this.redraw();
      return;
    }
    const cells = this.panel.content.widgets.map(cell => ({
      source: cell.model.sharedModel.getSource(),
      kind: cell.model.type as 'code' | 'markdown' | 'raw',
      tags: tagsOf(cell),
      id: cell.model.sharedModel.getId()
    }));
    const compiled = await this.nbflow.api.compile({
      path: this.path,
      cells,
      code: true
    });
    if (asked === this.asked && !this.isDisposed) {
      this.compiled = compiled;
      this.keepCodes(
        compiled,
        cells.map(cell => cell.source)
      );
      this.redraw();
    }
  }

  /** While an error keeps the notebook from compiling, steps that were not edited stay known. */
  private keepCodes(compiled: ICompiled, sources: readonly string[]): void {
    const codes = new Map<string, { code: string; source: string }>();
    for (const step of compiled.graph.nodes) {
      const source = step.cells.map(cell => sources[cell]).join('\n');
      const before = this.codes.get(step.name);
      const code =
        compiled.steps.find(other => other.name === step.name)?.code ??
        (before?.source === source ? before.code : null);
      if (code !== null) {
        codes.set(step.name, { code, source });
      }
    }
    this.codes = codes;
  }

  private async ask(): Promise<void> {
    const runs = await this.nbflow.api.notebook(this.path);
    if (!this.isDisposed) {
      this.runs = runs;
      this.redraw();
    }
  }

  private readonly compiling: Debouncer<void, void, []>;
  private readonly asking: Debouncer<void, void, []>;
  private readonly replies: Replies;
  private readonly byHand = new HandRuns();
  /** The states of steps as the kernel has them. */
  private kernel: ReadonlyMap<string, string> = new Map();
  private asked = 0;
  private codes = new Map<string, { code: string; source: string }>();
}
