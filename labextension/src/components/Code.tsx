/** A step's module beside the cells that it was compiled from. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { RunPageModel } from '../models/runpage';
import { IStepCode } from '../wire';
import { Highlighted } from './Highlighted';
import { Diff } from './Diff';
import { Empty, Tabs } from './parts';

export interface ICodeProps {
  model: RunPageModel;
  trans: TranslationBundle;
  /** A step's cells as the notebook has them now, where it is open; null where it is not. */
  current(step: string): string | null;
  onGo(cell: number, line: number | null, step: string): void;
}

export function Code(props: ICodeProps): JSX.Element {
  const { model, trans } = props;
  const [error, setError] = React.useState<string | null>(null);
  const [side, setSide] = React.useState<'cells' | 'now'>('cells');
  const [near, setNear] = React.useState<[number, number] | null>(null);
  React.useEffect(() => {
    model.loadCode().catch((reason: unknown) => setError(String(reason)));
  }, [model]);
  if (error !== null) {
    return <Empty error>{error}</Empty>;
  }
  if (!model.code) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  const { step } = model.state;
  const code = model.code.steps.find(other => other.step === step);
  if (!code) {
    return (
      <div
        className="jp-nbflow-Files jp-nbflow-Scroll"
        tabIndex={0}
        role="group"
        aria-label={trans.__('Files of the package')}
      >
        <p className="jp-nbflow-Hint">
          {trans.__(
            'The package %1 that ran. Select a step to see its module beside its cells.',
            model.code.package
          )}{' '}
          <a href={model.api.url(model.path, 'package')} download>
            {trans.__('Download the package')}
          </a>
          {' · '}
          <a href={model.api.url(model.path, 'notebook')} download>
            {trans.__('Download the notebook that ran')}
          </a>
        </p>
        {model.code.files.map(file => (
          <details key={file.path}>
            <summary>{file.path}</summary>
            <Highlighted text={file.text} />
          </details>
        ))}
      </div>
    );
  }
  const ran = code.cells.map(cell => cell.source).join('\n');
  const now = props.current(code.step);
  const cellOf = new Map(
    code.lines.map(([line, cell, at]) => [line, [cell, at] as [number, number]])
  );
  const linesOf = (cell: number) =>
    new Map(code.lines.filter(row => row[1] === cell).map(([line, , at]) => [at, line]));
  return (
    <div className="jp-nbflow-Code">
      <div className="jp-nbflow-Code-half">
        <header>
          <Tabs
            small
            label={trans.__('Cells')}
            current={side}
            onChange={setSide}
            tabs={[
              { id: 'cells', label: trans.__('Cells that ran') },
              { id: 'now', label: trans.__('Against the notebook now') }
            ]}
          />
        </header>
        <div
          className="jp-nbflow-Scroll"
          tabIndex={0}
          role="group"
          aria-label={trans.__('Cells')}
        >
          {side === 'now' ? (
            now === null ? (
              <Empty>
                {trans.__('Open the notebook to compare with what it has now.')}
              </Empty>
            ) : (
              <Diff left={ran} right={now} trans={trans} />
            )
          ) : (
            code.cells.map(cell => (
              <section key={cell.cell} className="jp-nbflow-Code-cell">
                <button
                  type="button"
                  className="jp-nbflow-Link"
                  onClick={() => props.onGo(cell.cell, null, code.step)}
                >
                  {trans.__('Cell %1', cell.cell)}
                </button>
                <Highlighted
                  text={cell.source}
                  near={near && near[0] === cell.cell ? near[1] : null}
                  onHover={line =>
                    setNear(linesOf(cell.cell).has(line) ? [cell.cell, line] : null)
                  }
                />
              </section>
            ))
          )}
        </div>
      </div>
      <div className="jp-nbflow-Code-half">
        <header>
          <code>{code.path}</code>
        </header>
        <div
          className="jp-nbflow-Scroll"
          tabIndex={0}
          role="group"
          aria-label={code.path}
        >
          <Highlighted
            text={code.text}
            near={nearLine(code, near)}
            onHover={line => setNear(cellOf.get(line) ?? null)}
          />
        </div>
      </div>
    </div>
  );
}

function nearLine(code: IStepCode, near: [number, number] | null): number | null {
  return near
    ? (code.lines.find(([, cell, line]) => cell === near[0] && line === near[1])?.[0] ??
        null)
    : null;
}
