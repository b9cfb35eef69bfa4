/** Replies: what a notebook's kernel tells of each cell that it has executed. */

import { NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, Session } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { ITold, told } from '../models/cellnotes';

/** A cell that was executed; `told` is null where its kernel knows nothing of nbflow. */
export interface IReply {
  cell: string;
  source: string;
  told: ITold | null;
}

/** Listens to the replies to a notebook's cells, whichever kernel it has. */
export class Replies implements IDisposable {
  constructor(private readonly panel: NotebookPanel) {
    const { sessionContext } = panel;
    sessionContext.sessionChanged.connect(this.onSession, this);
    sessionContext.session?.anyMessage.connect(this.onMessage, this);
  }

  isDisposed = false;

  get came(): ISignal<this, IReply> {
    return this._came;
  }

  dispose(): void {
    this.isDisposed = true;
    this.panel.sessionContext.sessionChanged.disconnect(this.onSession, this);
    this.panel.sessionContext.session?.anyMessage.disconnect(this.onMessage, this);
    Signal.clearData(this);
  }

  private onSession(
    _: unknown,
    change: {
      oldValue?: Session.ISessionConnection | null;
      newValue?: Session.ISessionConnection | null;
    }
  ): void {
    this.asked.clear();
    change.oldValue?.anyMessage.disconnect(this.onMessage, this);
    change.newValue?.anyMessage.connect(this.onMessage, this);
  }

  private onMessage(_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void {
    const { msg_type: kind, msg_id: id } = msg.header;
    if (kind === 'execute_request' && direction === 'send') {
      const { code } = msg.content as { code: string };
      const cell = msg.metadata.cellId;
      if (typeof cell === 'string') {
        this.asked.set(id, { cell, source: code });
      }
    } else if (kind === 'execute_reply' && direction === 'recv') {
      const asked = this.asked.get((msg.parent_header as { msg_id: string }).msg_id);
      const { status, payload } = msg.content as { status: string; payload?: unknown };
      this.asked.delete((msg.parent_header as { msg_id: string }).msg_id);
      // what never ran, as a cell before it failed, is as it was
      if (asked && status !== 'aborted') {
        this._came.emit({ ...asked, told: told(payload) });
      }
    }
  }

  private readonly asked = new Map<string, { cell: string; source: string }>();
  private readonly _came = new Signal<this, IReply>(this);
}
