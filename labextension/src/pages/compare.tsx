/** The widget of a comparison. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { Api } from '../api';
import { CompareView } from '../components/CompareView';

export interface ICompareOptions {
  api: Api;
  trans: TranslationBundle;
  runs: readonly string[];
  open(run: string): void;
}

export class ComparePage extends ReactWidget {
  constructor(private readonly options: ICompareOptions) {
    super();
    this.addClass('jp-nbflow-ComparePage');
  }

  get runs(): string[] {
    return [...this.options.runs];
  }

  get store(): string {
    return this.options.api.store;
  }

  protected render(): JSX.Element {
    const { api, trans, runs, open } = this.options;
    return <CompareView api={api} trans={trans} runs={runs} onOpen={open} />;
  }
}
