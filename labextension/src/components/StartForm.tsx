/** The form to start a run with: made from the parameters, with their types and help. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Dialog } from '@jupyterlab/apputils';
import React from 'react';

import { changed, choices, editor, fieldText, fieldValue } from '../models/parameters';
import { sentence } from './parts';
import { IEngineInfo, IParameterField, IParameters, IStartRequest, Json } from '../wire';

export interface IStartFormProps {
  form: IParameters;
  engines: readonly IEngineInfo[];
  engine: string;
  /** Values to begin with instead of the defaults. */
  values: Readonly<Record<string, Json>>;
  trans: TranslationBundle;
}

interface IChoices {
  engine: string;
  workers: string;
  tags: string;
  cache: boolean;
}

/** The body of the dialog; `getValue` is what the server is asked for. */
class StartForm extends ReactWidget implements Dialog.IBodyWidget<IStartRequest> {
  constructor(
    private readonly props: IStartFormProps,
    earlier?: StartForm,
    private readonly problem?: string
  ) {
    super();
    this.addClass('jp-nbflow-Form');
    this.values =
      earlier?.values ??
      Object.fromEntries(
        props.form.parameters.map(field => [
          field.name,
          props.values[field.name] ?? field.value
        ])
      );
    this.choices = earlier?.choices ?? {
      engine: props.engine,
      workers: '',
      tags: '',
      cache: true
    };
  }

  /** The same form with what has been typed, and why that cannot be. */
  again(problem: string): StartForm {
    return new StartForm(this.props, this, problem);
  }

  getValue(): IStartRequest {
    const { engine, workers, tags, cache } = this.choices;
    return {
      notebook: this.props.form.notebook,
      params: changed(this.props.form.parameters, this.values),
      engine: engine || null,
      max_workers: workers ? Number(workers) : null,
      tags: tags.split(/[\s,]+/).filter(Boolean),
      cache
    };
  }

  protected render(): JSX.Element {
    const { form, engines, trans } = this.props;
    return (
      <>
        {this.problem && (
          <p className="jp-nbflow-Form-problem" role="alert">
            {sentence(this.problem)}
          </p>
        )}
        {form.parameters.length > 0 && <h3>{trans.__('Parameters')}</h3>}
        {form.parameters.map(field => (
          <Field
            key={field.name}
            field={field}
            value={this.values[field.name]}
            onChange={json => {
              this.values[field.name] = json;
            }}
          />
        ))}
        <h3>{trans.__('Run')}</h3>
        <label>
          <span>{trans.__('Engine')}</span>
          <input
            list="nbflow-engines"
            defaultValue={this.choices.engine}
            onChange={event => (this.choices.engine = event.target.value)}
          />
          <datalist id="nbflow-engines">
            {engines.map(engine => (
              <option key={engine.name} value={engine.name}>
                {engine.title}
              </option>
            ))}
          </datalist>
          <small>
            {trans.__(
              '%1, or the address of a Dask scheduler',
              engines.map(engine => engine.name).join(', ')
            )}
          </small>
        </label>
        <label>
          <span>{trans.__('Workers')}</span>
          <input
            type="number"
            min={1}
            placeholder={trans.__('as many as suit')}
            defaultValue={this.choices.workers}
            onChange={event => (this.choices.workers = event.target.value)}
          />
        </label>
        <label>
          <span>{trans.__('Tags')}</span>
          <input
            placeholder={trans.__('words to find the run by')}
            defaultValue={this.choices.tags}
            onChange={event => (this.choices.tags = event.target.value)}
          />
        </label>
        <label className="jp-mod-check">
          <input
            type="checkbox"
            defaultChecked={this.choices.cache}
            onChange={event => (this.choices.cache = event.target.checked)}
          />
          <span>{trans.__('Take over results that are still valid')}</span>
        </label>
      </>
    );
  }

  private readonly values: Record<string, Json>;
  private readonly choices: IChoices;
}

/** The form at first. */
export function startForm(props: IStartFormProps): StartForm {
  return new StartForm(props);
}

function Field(props: {
  field: IParameterField;
  value: Json;
  onChange(value: Json): void;
}): JSX.Element {
  const { field, onChange } = props;
  const kind = editor(field);
  const label = (
    <span>
      {field.name}
      <code>{field.annotation ?? field.type}</code>
    </span>
  );
  if (kind === 'check') {
    return (
      <label className="jp-mod-check" data-parameter={field.name}>
        <input
          type="checkbox"
          defaultChecked={props.value === true}
          onChange={event => onChange(event.target.checked)}
        />
        {label}
        <small>{field.help}</small>
      </label>
    );
  }
  if (kind === 'choice') {
    const all = choices(field);
    return (
      <label data-parameter={field.name}>
        {label}
        <select
          defaultValue={JSON.stringify(props.value)}
          onChange={event => onChange(JSON.parse(event.target.value) as Json)}
        >
          {all.map(choice => (
            <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
        <small>{field.help}</small>
      </label>
    );
  }
  return (
    <label data-parameter={field.name}>
      {label}
      <input
        type={kind === 'number' ? 'number' : 'text'}
        step="any"
        defaultValue={fieldText(props.value)}
        onChange={event => onChange(fieldValue(field, event.target.value))}
      />
      <small>{field.help}</small>
    </label>
  );
}
