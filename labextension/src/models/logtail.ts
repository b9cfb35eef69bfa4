/** A log as lines: its end first, then what is added; the whole of it when asked for. */

import { Signal } from '@lumino/signaling';

import { ILogChunk } from '../wire';
import { overwrite } from './ansi';

export type FetchLog = (query: Record<string, number>) => Promise<ILogChunk>;

/** Bytes that are shown at first, and bytes of one answer. */
const TAIL = 262144;
const CHUNK = 1048576;
/** Characters that are kept at most: beyond it, the file is for downloading. */
const LIMIT = 40_000_000;

export class LogTail {
  constructor(
    private readonly fetch: FetchLog,
    private readonly limit = LIMIT
  ) {}

  readonly changed = new Signal<this, void>(this);
  lines: string[] = [];
  complete = false;
  loaded = false;
  error: string | null = null;
  /** Bytes before the first shown one. */
  start = 0;
  /** Bytes up to the end of what is shown, and of the whole log. */
  end = 0;
  size = 0;
  /** Whether it was shown from its start and is too long to be shown to its end. */
  cut = false;
  private length = 0;
  private rest = '';
  private busy = false;

  /** What is new since the last time; where too much is kept, its end only, as at first. */
  async follow(): Promise<void> {
    if (this.busy || this.cut) {
      return;
    }
    this.busy = true;
    try {
      const first = !this.loaded || this.length > this.limit;
      const chunk = await this.fetch(
        first ? { tail: TAIL } : { start: this.end, limit: CHUNK }
      );
      if (first) {
        this.clear(chunk.start);
      }
      this.take(chunk);
      this.error = null;
    } catch (reason) {
      this.error = reason instanceof Error ? reason.message : String(reason);
    }
    this.loaded = true;
    this.busy = false;
    this.changed.emit();
  }

  /** All of it, from the first byte. */
  async whole(): Promise<void> {
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      this.clear(0);
      let chunk: ILogChunk;
      do {
        chunk = await this.fetch({ start: this.end, limit: CHUNK });
        this.take(chunk);
        this.cut = chunk.end < chunk.size && this.length >= this.limit;
        this.changed.emit();
      } while (chunk.text && chunk.end < chunk.size && !this.cut);
    } catch (reason) {
      this.error = reason instanceof Error ? reason.message : String(reason);
    }
    this.busy = false;
    this.changed.emit();
  }

  /** All lines, also the last one that may still grow. */
  get shown(): string[] {
    return this.rest ? [...this.lines, overwrite(this.rest)] : this.lines;
  }

  private clear(start: number): void {
    this.lines = [];
    this.rest = '';
    this.length = 0;
    this.start = this.end = start;
  }

  private take(chunk: ILogChunk): void {
    this.end = chunk.end;
    this.size = chunk.size;
    this.length += chunk.text.length;
    this.complete = chunk.complete && chunk.end >= chunk.size;
    if (chunk.text) {
      const parts = (this.rest + chunk.text).split('\n');
      this.rest = parts.pop()!;
      this.lines = this.lines.concat(parts.map(overwrite));
    }
  }
}
