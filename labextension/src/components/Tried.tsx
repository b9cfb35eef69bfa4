/** What was tried of a step by hand: each execution opens to its code and what it showed. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, duration, moment, short } from '../models/format';
import { IInteractiveTask } from '../wire';
import { Highlighted } from './Highlighted';
import { Button, Glyph } from './parts';

export function Tried(props: {
  tasks: readonly IInteractiveTask[];
  trans: TranslationBundle;
  onInsert(code: string): void;
}): JSX.Element {
  const { trans } = props;
  const now = Date.now() / 1000;
  return (
    <ul className="jp-nbflow-Tried" aria-label={trans.__('Tried by hand')}>
      {props.tasks.map(task => (
        <li key={task.id} data-tried={task.id}>
          <details>
            <summary title={moment(task.started)}>
              <Glyph status={task.status} trans={trans} size={14} />
              <b>{made(task)}</b>
              <span>{duration(task.finished - task.started)}</span>
              <span>{age(task.started, now)}</span>
            </summary>
            <div tabIndex={0}>
              <Highlighted text={task.code} />
              {task.shown.trim() && <pre>{task.shown}</pre>}
            </div>
            <Button
              label={trans.__('Insert as a cell')}
              onClick={() => props.onInsert(task.code)}
            />
          </details>
        </li>
      ))}
    </ul>
  );
}

/** The small values on one line. */
function made(task: IInteractiveTask): string {
  return Object.entries(task.made)
    .map(([name, value]) => `${name}=${short(value, 40)}`)
    .join('  ');
}
