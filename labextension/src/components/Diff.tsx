/** What differs between two texts, or a unified diff as the server gives it. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { diffLines, hunks } from '../models/diff';
import { Empty } from './parts';

export function Diff(props: {
  left: string;
  right: string;
  trans: TranslationBundle;
}): JSX.Element {
  const found = React.useMemo(
    () => hunks(diffLines(props.left, props.right)),
    [props.left, props.right]
  );
  if (found.length === 0) {
    return <Empty>{props.trans.__('No difference.')}</Empty>;
  }
  return (
    <pre className="jp-nbflow-Diff">
      {found.map((hunk, at) => (
        <React.Fragment key={at}>
          {hunk.hidden > 0 && <div data-kind="gap">⋯</div>}
          {hunk.lines.map((line, index) => (
            <div key={index} data-kind={line.kind}>
              <i aria-hidden="true">
                {line.kind === 'added' ? '+' : line.kind === 'removed' ? '−' : ''}
              </i>
              <code>{line.text}</code>
            </div>
          ))}
        </React.Fragment>
      ))}
    </pre>
  );
}

/** A unified diff in colours. */
export function UnifiedDiff(props: { text: string }): JSX.Element {
  const kind = (line: string) =>
    line.startsWith('@@')
      ? 'gap'
      : line.startsWith('+')
        ? 'added'
        : line.startsWith('-')
          ? 'removed'
          : 'same';
  return (
    <pre className="jp-nbflow-Diff">
      {props.text
        .split('\n')
        .filter(line => !line.startsWith('---') && !line.startsWith('+++') && line !== '')
        .map((line, index) => {
          const of = kind(line);
          return (
            <div key={index} data-kind={of}>
              <i aria-hidden="true">
                {of === 'added' ? '+' : of === 'removed' ? '−' : ''}
              </i>
              <code>{of === 'gap' ? '⋯' : line.slice(1)}</code>
            </div>
          );
        })}
    </pre>
  );
}
