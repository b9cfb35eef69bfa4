/** The live stream of changes: a socket, and questions every few seconds where none opens. */

import { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Api } from './api';
import { IChange } from './wire';

/** Sockets that failed in a row before the stream is polled instead. */
const PATIENCE = 3;

/** Emits each change once, in order; `reset` where some may have been missed. */
export class Live implements IDisposable {
  constructor(private readonly api: Api) {
    this.connect();
  }

  get changed(): ISignal<this, IChange> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    window.clearTimeout(this._timer);
    this._socket?.close();
    this._poll?.dispose();
    Signal.clearData(this);
  }

  private connect(): void {
    const socket = this.api.socket();
    this._socket = socket;
    socket.onmessage = event => {
      this._failures = 0;
      this._poll?.dispose();
      this._poll = null;
      this.take(JSON.parse(String(event.data)) as IChange);
    };
    socket.onclose = () => {
      if (this._disposed) {
        return;
      }
      this._failures += 1;
      if (this._failures >= PATIENCE && !this._poll) {
        this._poll = this.poll();
      }
      const wait = Math.min(30, 2 ** Math.min(this._failures, 5) / 4);
      this._timer = window.setTimeout(() => this.connect(), wait * 1000);
    };
  }

  private poll(): Poll {
    return new Poll({
      name: 'nbflow:changes',
      frequency: { interval: 3000, backoff: true, max: 60000 },
      standby: 'when-hidden',
      factory: async () => {
        const answer = await this.api.changes(this._seq ?? 0);
        if (answer.reset) {
          this.reset(answer.seq);
        }
        answer.changes.forEach(change => this.take(change));
        this._seq = answer.seq;
      }
    });
  }

  private take(change: IChange): void {
    if (change.kind === 'hello') {
      // what happened between two connections is not told again, and the server may be another one
      if (this._seq !== null) {
        this.reset(change.seq);
      }
      this._seq = change.seq;
      return;
    }
    if (this._seq !== null && change.seq <= this._seq) {
      return;
    }
    if (this._seq !== null && change.seq > this._seq + 1) {
      this.reset(change.seq);
    }
    this._seq = change.seq;
    this._changed.emit(change);
  }

  private reset(seq: number): void {
    this._changed.emit({
      seq,
      kind: 'reset',
      store: '',
      path: null,
      run: null,
      steps: []
    });
  }

  private readonly _changed = new Signal<this, IChange>(this);
  private _socket: WebSocket | null = null;
  private _poll: Poll | null = null;
  private _seq: number | null = null;
  private _failures = 0;
  private _timer = 0;
  private _disposed = false;
}
