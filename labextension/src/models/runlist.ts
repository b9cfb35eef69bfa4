/** The list of runs: pages that grow as they are looked at, and changes merged in place. */

import { Signal } from '@lumino/signaling';

import { IRunPage, IRunRow, IStoreInfo } from '../wire';

export interface IFilter {
  flow: string;
  status: string;
  tag: string;
  branch: string;
  engine: string;
  search: string;
}

export const NO_FILTER: IFilter = {
  flow: '',
  status: '',
  tag: '',
  branch: '',
  engine: '',
  search: ''
};

export type FetchRuns = (
  filter: IFilter,
  cursor: string | null,
  limit: number
) => Promise<IRunPage>;

const PAGE = 200;

/** Runs in the server's order, newest first. */
export class RunList {
  constructor(private readonly fetch: FetchRuns) {}

  readonly changed = new Signal<this, void>(this);
  /** Runs ticked to be compared. */
  readonly selected = new Set<string>();
  /** The path of the run that the keyboard is at, and whose page is in front. */
  current: string | null = null;
  /** The store whose runs these are. */
  store = '';
  runs: IRunRow[] = [];
  filter: IFilter = NO_FILTER;
  total: number | null = null;
  loading = false;
  loaded = false;
  error: string | null = null;
  private next: string | null = null;
  /** Answers to older questions are dropped. */
  private asked = 0;
  /** What was told since the first page was last asked for. */
  private since: IRunRow[] = [];

  get more(): boolean {
    return this.next !== null;
  }

  /** The runs of the first store that is there. */
  async begin(stores: Promise<readonly IStoreInfo[]>): Promise<void> {
    const there = (await stores.catch(() => [])).filter(store => store.exists);
    if (this.store === '' && there.length && !there.some(store => store.name === '')) {
      await this.setStore(there[0].name);
    } else {
      await this.refresh();
    }
  }

  /** Other runs from the start. */
  async setFilter(filter: IFilter): Promise<void> {
    this.filter = filter;
    this.runs = [];
    this.loaded = false;
    await this.refresh();
  }

  /** The runs of another store. */
  async setStore(store: string): Promise<void> {
    if (store !== this.store) {
      this.store = store;
      this.selected.clear();
      await this.setFilter(NO_FILTER);
    }
  }

  /** The first page again; what was loaded further down stays. */
  async refresh(): Promise<void> {
    const asked = ++this.asked;
    this.since = [];
    this.loading = true;
    this.changed.emit();
    try {
      const page = await this.fetch(this.filter, null, PAGE);
      if (asked !== this.asked) {
        return;
      }
      const kept = this.tail(page);
      // an answer may be older than what was told while it was on its way
      const told = new Map(this.since.map(run => [run.id, run]));
      this.runs = [...page.runs.map(run => told.get(run.id) ?? run), ...kept];
      this.next = kept.length ? this.next : page.next;
      this.total = page.total;
      this.error = null;
      this.loaded = true;
    } catch (error) {
      if (asked === this.asked) {
        this.error = error instanceof Error ? error.message : String(error);
      }
    }
    if (asked === this.asked) {
      this.loading = false;
      this.changed.emit();
    }
  }

  /** The next page, where there is one and none is on its way. */
  async loadMore(): Promise<void> {
    if (this.loading || this.next === null) {
      return;
    }
    const asked = this.asked;
    this.loading = true;
    try {
      const page = await this.fetch(this.filter, this.next, PAGE);
      if (asked === this.asked) {
        const known = new Set(this.runs.map(run => run.id));
        this.runs = [...this.runs, ...page.runs.filter(run => !known.has(run.id))];
        this.next = page.next;
      }
    } finally {
      if (asked === this.asked) {
        this.loading = false;
        this.changed.emit();
      }
    }
  }

  /** Put a run that changed in its place; false where the list does not have it. */
  merge(run: IRunRow): boolean {
    const index = this.runs.findIndex(other => other.id === run.id);
    if (index < 0) {
      return false;
    }
    if (this.loading) {
      this.since.push(run);
    }
    this.runs = this.runs.with(index, run);
    this.changed.emit();
    return true;
  }

  /** Be at a run. */
  setCurrent(path: string): void {
    if (path !== this.current) {
      this.current = path;
      this.changed.emit();
    }
  }

  /** A run is gone. */
  remove(path: string): void {
    this.selected.delete(path);
    const left = this.runs.filter(run => run.run !== path);
    if (left.length < this.runs.length) {
      this.runs = left;
      this.total = this.total === null ? null : this.total - 1;
      this.changed.emit();
    }
  }

  toggle(path: string, on = !this.selected.has(path)): void {
    if (on) {
      this.selected.add(path);
    } else {
      this.selected.delete(path);
    }
    this.changed.emit();
  }

  clearSelection(): void {
    this.selected.clear();
    this.changed.emit();
  }

  /** What is loaded beyond the first page, where the two join without a gap. */
  private tail(page: IRunPage): IRunRow[] {
    const last = page.runs.at(-1);
    if (!last || page.next === null) {
      return [];
    }
    const index = this.runs.findIndex(run => run.id === last.id);
    return index < 0 ? [] : this.runs.slice(index + 1);
  }
}
