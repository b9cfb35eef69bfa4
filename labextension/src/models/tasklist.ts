/** The tasks of a run as sorted and filtered by the server, page by page. */

import { Signal } from '@lumino/signaling';

import { ITaskPage, ITaskRow } from '../wire';

export interface ITaskQuery {
  step: string | null;
  status: string;
  sort: 'key' | 'status' | 'started' | 'seconds' | 'attempt';
  order: 'asc' | 'desc';
  search: string;
}

export type FetchTasks = (
  query: Record<string, string | number | null>
) => Promise<ITaskPage>;

const PAGE = 500;

export class TaskList {
  constructor(private readonly fetch: FetchTasks) {}

  readonly changed = new Signal<this, void>(this);
  tasks: ITaskRow[] = [];
  total = 0;
  loaded = false;
  error: string | null = null;
  query: ITaskQuery = { step: null, status: '', sort: 'key', order: 'asc', search: '' };
  private next: string | null = null;
  private loading = false;
  private asked = 0;

  async setQuery(change: Partial<ITaskQuery>): Promise<void> {
    this.query = { ...this.query, ...change };
    await this.refresh();
  }

  /** As many rows again as are shown now. */
  async refresh(): Promise<void> {
    const asked = ++this.asked;
    const wanted = Math.max(PAGE, Math.min(this.tasks.length, 4 * PAGE));
    try {
      const tasks: ITaskRow[] = [];
      let cursor: string | null = null;
      let total = 0;
      do {
        const page: ITaskPage = await this.fetch({ ...this.query, limit: PAGE, cursor });
        if (asked !== this.asked) {
          return;
        }
        tasks.push(...page.tasks);
        cursor = page.next;
        total = page.total;
      } while (cursor !== null && tasks.length < wanted);
      this.tasks = tasks;
      this.total = total;
      this.next = cursor;
      this.error = null;
    } catch (reason) {
      this.error = reason instanceof Error ? reason.message : String(reason);
    }
    this.loaded = true;
    this.changed.emit();
  }

  async loadMore(): Promise<void> {
    if (this.loading || this.next === null) {
      return;
    }
    const asked = this.asked;
    this.loading = true;
    try {
      const page = await this.fetch({ ...this.query, limit: PAGE, cursor: this.next });
      if (asked === this.asked) {
        this.tasks = [...this.tasks, ...page.tasks];
        this.next = page.next;
        this.changed.emit();
      }
    } finally {
      this.loading = false;
    }
  }
}
