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
  constructor(private readonly fetch: FetchLog) {}

  readonly changed = new Signal<this, void>(this);
  lines: string[] = [];
  complete = false;
  loaded = false;
  error: string | null = null;
  /** Bytes before the first shown one. */
  start = 0;
  private end = 0;
  private rest = '';
  private busy = false;

  /** What is new since the last time. */
  async follow(): Promise<void> {
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      const first = !this.loaded;
      const chunk = await this.fetch(
        first ? { tail: TAIL } : { start: this.end, limit: CHUNK }
      );
      if (first) {
        this.start = chunk.start;
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
      this.lines = [];
      this.rest = '';
      this.start = 0;
      this.end = 0;
      let chunk: ILogChunk;
      let length = 0;
      do {
        chunk = await this.fetch({ start: this.end, limit: CHUNK });
        length += chunk.text.length;
        this.take(chunk);
        this.changed.emit();
      } while (chunk.text && chunk.end < chunk.size && length < LIMIT);
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

  private take(chunk: ILogChunk): void {
    this.end = chunk.end;
    this.complete = chunk.complete && chunk.end >= chunk.size;
    if (chunk.text) {
      const parts = (this.rest + chunk.text).split('\n');
      this.rest = parts.pop()!;
      this.lines = this.lines.concat(parts.map(overwrite));
    }
  }
}
