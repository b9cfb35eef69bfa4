/** Where a step ran so far: runs of the flow, and by hand in the kernel. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { CellState } from '../models/cellstates';
import { age, duration } from '../models/format';
import { IStepRun } from '../wire';
import { Button, Glyph, statusText } from './parts';

export interface IHistoryProps {
  step: string;
  state: CellState;
  runs: readonly IStepRun[];
  /** The hash of the step's code now; null where it does not compile. */
  code: string | null;
  trans: TranslationBundle;
  onOpen(run: string): void;
  onDebug(run: string): void;
  onRun(): void;
}

/** Executions that have something to tell: a step that a run never came to is left out. */
export function past(runs: readonly IStepRun[]): IStepRun[] {
  return runs.filter(run => run.status !== 'pending');
}

export function History(props: IHistoryProps): JSX.Element {
  const { trans, runs, code } = props;
  const list = React.useRef<HTMLUListElement>(null);
  const now = Date.now() / 1000;
  const shown = past(runs);
  const failed = shown.find(run => run.run && run.status === 'failed');
  React.useEffect(() => {
    list.current?.querySelector<HTMLElement>('button:enabled')?.focus();
  }, []);
  const walk = (event: React.KeyboardEvent) => {
    const buttons = [
      ...list.current!.querySelectorAll<HTMLButtonElement>('button:enabled')
    ];
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      buttons.at((at + move) % buttons.length)?.focus();
      event.preventDefault();
    }
  };
  return (
    <div className="jp-nbflow-History">
      <header data-state={props.state}>
        <b>{props.step}</b>
        <span>{statusText(trans, props.state)}</span>
      </header>
      {shown.length === 0 ? (
        <p>{trans.__('This step has not run.')}</p>
      ) : (
        <ul ref={list} onKeyDown={walk} aria-label={trans.__('Where it ran')}>
          {shown.map(run => (
            <li key={run.run || 'by hand'}>
              <button
                type="button"
                data-run={run.run}
                disabled={!run.run}
                onClick={() => props.onOpen(run.run)}
              >
                <Glyph status={run.status} trans={trans} size={14} />
                <b>{run.run || trans.__('by hand')}</b>
                <span>{run.engine}</span>
                <span>
                  {run.started !== null &&
                    run.finished !== null &&
                    duration(run.finished - run.started)}
                </span>
                <span>{age(run.created, now)}</span>
                <small>
                  {code !== null && run.code !== code ? trans.__('other code') : ''}
                </small>
              </button>
            </li>
          ))}
        </ul>
      )}
      <footer>
        <Button label={trans.__('Run flow…')} onClick={props.onRun} />
        {failed && (
          <Button
            label={trans.__('Debug %1 here', failed.run)}
            onClick={() => props.onDebug(failed.run)}
          />
        )}
      </footer>
    </div>
  );
}
