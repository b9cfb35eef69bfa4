/** The widget of a run's page. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { complain } from '../actions';
import { Api } from '../api';
import { RunPage } from '../components/RunPage';
import { Live } from '../live';
import { IPageState, RunPageModel } from '../models/runpage';
import { artifactSource, inputsSource } from '../models/snippets';
import { drag } from '../notebook/drag';
import { CommandIDs } from '../tokens';

export interface IRunPageOptions {
  app: JupyterFrontEnd;
  api: Api;
  live: Live;
  trans: TranslationBundle;
  rendermime: IRenderMimeRegistry;
  run: string;
  state: Partial<IPageState>;
  go(place: {
    notebook: string;
    cell: number;
    line: number | null;
    step: string;
    source: string | null;
  }): void;
  insert(source: string): void;
  copy(text: string): void;
  /** The sources of a step's cells as an open notebook has them now. */
  current(notebook: string, step: string): string[] | null;
}

export class RunPageWidget extends ReactWidget {
  constructor(private readonly options: IRunPageOptions) {
    super();
    this.addClass('jp-nbflow-RunPage');
    this.model = new RunPageModel(options.api, options.live, options.run, options.state);
  }

  readonly model: RunPageModel;

  dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    const { app, run, trans, rendermime } = this.options;
    const { store } = this.options.api;
    const execute = (id: string, args = {}) =>
      void app.commands.execute(id, { run, store, ...args });
    return (
      <RunPage
        model={this.model}
        trans={trans}
        rendermime={rendermime}
        onCancel={() => execute(CommandIDs.cancel)}
        onResume={() => execute(CommandIDs.resume)}
        onTag={() => execute(CommandIDs.tag)}
        onStartAgain={() => execute(CommandIDs.startAgain)}
        onOpen={other => execute(CommandIDs.openRun, { run: other })}
        onGo={(cell, line, step) => {
          this.go(cell, line, step).catch(complain);
        }}
        onLoad={artifact =>
          this.options.insert(artifactSource(artifact.path, artifact.name))
        }
        onLoadInputs={(step, key) => this.options.insert(inputsSource(run, step, key))}
        onDebug={(step, key) => execute(CommandIDs.debugTask, { step, key })}
        onDrag={drag}
        onCopy={this.options.copy}
        current={step => {
          const notebook = this.model.detail?.row.notebook;
          const sources = notebook ? this.options.current(notebook, step) : null;
          return sources && sources.join('\n');
        }}
      />
    );
  }

  /** Go to a cell as it ran, wherever it is now. */
  private async go(cell: number, line: number | null, step: string): Promise<void> {
    const { trans } = this.options;
    const notebook = this.model.detail?.row.notebook;
    if (!notebook) {
      throw new Error(
        trans.__('The notebook of this run is not below the server’s folder.')
      );
    }
    await this.model.loadCode();
    const ran = this.model.code?.steps
      .flatMap(code => code.cells)
      .find(other => other.cell === cell);
    this.options.go({ notebook, cell, line, step, source: ran?.source ?? null });
  }
}
