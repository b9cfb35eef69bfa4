/** A run, or a task of it, at a glance. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { plain } from '../models/ansi';
import { duration, moment, short, value } from '../models/format';
import { RunPageModel } from '../models/runpage';
import { IRunError, Json } from '../wire';
import { FlagList } from './Flags';
import { useLoaded } from './hooks';
import { Button, Empty, Facts, failureText, Glyph, statusText } from './parts';

export interface IOverviewProps {
  model: RunPageModel;
  trans: TranslationBundle;
  onGo(cell: number, line: number | null, step: string): void;
  onLoadInputs(step: string, key: string): void;
  onDebug(step: string, key: string, error: IRunError | null): void;
  onOpen(run: string): void;
}

/** An error: what, where in the notebook, and how to look into it. */
export function ErrorBox(props: IOverviewProps & { error: IRunError }): JSX.Element {
  const { error, trans, model } = props;
  const step = error.step;
  const key = model.state.step === step ? (model.task?.key ?? '') : '';
  return (
    <section className="jp-nbflow-Error" role="alert" aria-label={trans.__('Error')}>
      <header>
        <b title={error.type}>{failureText(trans, error.type)}</b>
        <span>{error.message}</span>
      </header>
      <div className="jp-nbflow-Bar">
        {error.cell !== null && (
          <button
            type="button"
            className="jp-nbflow-Link jp-nbflow-Error-place"
            onClick={() => props.onGo(error.cell!, error.line, step)}
          >
            {error.line === null
              ? trans.__('Cell %1', error.cell)
              : trans.__('Cell %1, line %2', error.cell, error.line)}
          </button>
        )}
        {step && (
          <>
            <Button
              label={trans.__('Debug this task here')}
              onClick={() => props.onDebug(step, key, error)}
            />
            <Button
              label={trans.__('Load its inputs into the notebook')}
              onClick={() => props.onLoadInputs(step, key)}
            />
          </>
        )}
      </div>
      {error.traceback && (
        <details>
          <summary>{trans.__('Traceback')}</summary>
          <pre>{plain(error.traceback)}</pre>
        </details>
      )}
    </section>
  );
}

function Values(props: {
  title: string;
  values: Record<string, Json>;
}): JSX.Element | null {
  const entries = Object.entries(props.values);
  return entries.length ? (
    <section className="jp-nbflow-Card">
      <h3>{props.title}</h3>
      <dl className="jp-nbflow-Values">
        {entries.map(([name, item]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={value(item)}>{short(item, 80)}</dd>
          </div>
        ))}
      </dl>
    </section>
  ) : null;
}

/** The run as a whole. */
export function RunOverview(props: IOverviewProps): JSX.Element {
  const { model, trans } = props;
  const detail = model.detail!;
  const row = detail.row;
  const params = Object.fromEntries(
    detail.parameters.map(field => [field.name, field.value])
  );
  return (
    <div
      className="jp-nbflow-Overview jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Overview')}
    >
      <FlagList model={model} trans={trans} onOpen={props.onOpen} />
      <Values title={trans.__('Metrics')} values={row.metrics} />
      <Values title={trans.__('Parameters')} values={params} />
      <section className="jp-nbflow-Card">
        <h3>{trans.__('Run')}</h3>
        <Facts
          rows={[
            [trans.__('Started'), moment(row.started ?? row.created)],
            [trans.__('Ended'), moment(row.finished)],
            [trans.__('Engine'), row.engine],
            [trans.__('Version'), row.version],
            [trans.__('Notebook'), row.notebook],
            [
              trans.__('Commit'),
              detail.git &&
                `${detail.git.slice(0, 10)}${detail.dirty ? ` ${trans.__('and changes')}` : ''}`
            ],
            [trans.__('By'), row.user && `${row.user}@${detail.host}`],
            [trans.__('Branch'), row.branch],
            [trans.__('Seed'), detail.seed],
            [
              trans.__('Resumes'),
              detail.parent && (
                <button
                  type="button"
                  className="jp-nbflow-Link"
                  onClick={() => props.onOpen(detail.parent!)}
                >
                  {detail.parent}
                </button>
              )
            ]
          ]}
        />
      </section>
    </div>
  );
}

/** One task: how it went, why it ran or not, its error, its attempts, its inputs. */
export function TaskOverview(props: IOverviewProps): JSX.Element {
  const { model, trans } = props;
  const task = model.task!;
  const { data, error } = useLoaded(
    () => model.api.task(model.path, task),
    `${model.path}/${task.step}/${task.key}`,
    model.revision
  );
  const node = model.graph!.nodes.find(other => other.name === task.step);
  if (error !== null) {
    return <Empty>{trans.__('%1 has not started.', `${task.step} ${task.key}`)}</Empty>;
  }
  if (!data) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  const { row } = data;
  const asked = Object.entries(node?.resources ?? {}).filter(([, item]) => item !== null);
  return (
    <div
      className="jp-nbflow-Overview jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Overview')}
    >
      {data.error && <ErrorBox {...props} error={data.error} />}
      <Values title={trans.__('Values')} values={row.values} />
      <section className="jp-nbflow-Card">
        <h3>
          <Glyph status={row.status} trans={trans} size={14} /> {row.step} {row.key}
        </h3>
        <Facts
          rows={[
            [trans.__('Status'), statusText(trans, row.status)],
            [trans.__('Item'), row.item === null ? null : short(row.item, 200)],
            [
              row.status === 'cached'
                ? trans.__('Why cached')
                : row.status === 'pending'
                  ? trans.__('Why it waits')
                  : trans.__('Why it ran'),
              row.cached_from
                ? trans.__('%1, from %2', row.reason ?? '', row.cached_from)
                : row.reason
            ],
            [trans.__('Started'), moment(row.started)],
            [
              trans.__('Duration'),
              row.started !== null && row.finished !== null
                ? duration(row.finished - row.started)
                : null
            ],
            [trans.__('Attempt'), row.attempt > 1 ? row.attempt : null],
            [trans.__('Worker'), row.worker],
            [
              trans.__('Asked for'),
              asked.map(([name, item]) => `${name} ${value(item)}`).join(', ')
            ],
            [
              trans.__('Changed in place'),
              data.changed.length ? data.changed.join(', ') : null
            ]
          ]}
        />
      </section>
      {data.inputs.length > 0 && (
        <section className="jp-nbflow-Card">
          <h3>{trans.__('Inputs')}</h3>
          <dl className="jp-nbflow-Values">
            {data.inputs.map(input => (
              <div key={input.name}>
                <dt>{input.name}</dt>
                <dd>
                  {input.sources.filter(Boolean).map(source => (
                    <button
                      key={source}
                      type="button"
                      className="jp-nbflow-Link"
                      onClick={() => model.select({ step: source, tab: 'artifacts' })}
                    >
                      {source}
                    </button>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
          {!data.error && (
            <div className="jp-nbflow-Bar">
              <Button
                label={trans.__('Load its inputs into the notebook')}
                onClick={() => props.onLoadInputs(row.step, row.key)}
              />
              <Button
                label={trans.__('Debug this task here')}
                onClick={() => props.onDebug(row.step, row.key, null)}
              />
            </div>
          )}
        </section>
      )}
      {data.attempts.length > 0 && (
        <section className="jp-nbflow-Card">
          <h3>{trans.__('Earlier attempts')}</h3>
          {data.attempts.map(attempt => (
            <details key={attempt.attempt}>
              <summary>
                {trans.__('Attempt %1', attempt.attempt)}:{' '}
                {attempt.error && failureText(trans, attempt.error.type)}{' '}
                {attempt.error?.message}
              </summary>
              <pre>{plain(attempt.error?.traceback ?? '')}</pre>
            </details>
          ))}
        </section>
      )}
    </div>
  );
}

/** Whether an option says anything. */
function given(item: Json): boolean {
  return item !== null && (typeof item !== 'object' || Object.keys(item).length > 0);
}

/** Packages, options and the machine. */
export function Environment(props: {
  model: RunPageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { environment } = model.detail!;
  const options = Object.entries(model.detail!.options).filter(([, item]) => given(item));
  const [search, setSearch] = React.useState('');
  const packages = (environment.packages ?? {}) as Record<string, string>;
  const rest = Object.entries(environment).filter(
    ([name, item]) => name !== 'packages' && item !== null && typeof item !== 'object'
  );
  const shown = Object.entries(packages).filter(([name]) =>
    name.toLowerCase().includes(search.toLowerCase())
  );
  return (
    <div
      className="jp-nbflow-Overview jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Environment')}
    >
      <section className="jp-nbflow-Card">
        <h3>{trans.__('Machine')}</h3>
        <Facts rows={rest.map(([name, item]) => [name, value(item)])} />
      </section>
      {options.length > 0 && (
        <section className="jp-nbflow-Card">
          <h3>{trans.__('Options')}</h3>
          <Facts rows={options.map(([name, item]) => [name, value(item)])} />
        </section>
      )}
      <section className="jp-nbflow-Card jp-mod-wide">
        <h3>{trans._n('%1 package', '%1 packages', Object.keys(packages).length)}</h3>
        <input
          className="jp-nbflow-Field"
          type="search"
          placeholder={trans.__('Search packages')}
          aria-label={trans.__('Search packages')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
        <dl className="jp-nbflow-Values jp-mod-columns">
          {shown.map(([name, version]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{version}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}
