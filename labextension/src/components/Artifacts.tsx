/** The kept values of a task, with their previews: nothing is loaded to show them. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { bytes, value } from '../models/format';
import { footer, head } from '../models/previews';
import { RunPageModel } from '../models/runpage';
import { IArtifactInfo, ITaskDetail, Json } from '../wire';
import { useLoaded } from './hooks';
import { Button, Empty } from './parts';

export interface IArtifactsProps {
  model: RunPageModel;
  trans: TranslationBundle;
  onLoad(artifact: IArtifactInfo): void;
  onDrag(event: MouseEvent, artifact: IArtifactInfo): void;
  onCopy(text: string): void;
}

export function Artifacts(props: IArtifactsProps): JSX.Element {
  const { model, trans } = props;
  const task = model.task!;
  const { data, error } = useLoaded(
    () => model.api.task(model.path, task),
    `${model.path}/${task.step}/${task.key}`,
    model.revision
  );
  if (error !== null) {
    return <Empty error>{error}</Empty>;
  }
  if (!data) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  if (data.artifacts.length === 0) {
    return <Empty>{trans.__('This task has kept no values.')}</Empty>;
  }
  const plain = data.artifacts.filter(
    artifact => artifact.plain && artifact.text.length <= 80
  );
  const large = data.artifacts.filter(artifact => !plain.includes(artifact));
  return (
    <div
      className="jp-nbflow-Artifacts jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Kept values')}
    >
      {plain.length > 0 && (
        <dl className="jp-nbflow-Values">
          {plain.map(artifact => (
            <div key={artifact.name} data-artifact={artifact.name}>
              <dt>
                <button
                  type="button"
                  title={trans.__('Load %1 into the notebook', artifact.name)}
                  onClick={() => props.onLoad(artifact)}
                >
                  {artifact.name}
                </button>
              </dt>
              <dd title={artifact.text}>{artifact.text}</dd>
            </div>
          ))}
        </dl>
      )}
      {large.map(artifact => (
        <Artifact key={artifact.name} {...props} artifact={artifact} detail={data} />
      ))}
    </div>
  );
}

function Artifact(
  props: IArtifactsProps & { artifact: IArtifactInfo; detail: ITaskDetail }
): JSX.Element {
  const { artifact, model, trans } = props;
  const { step, key } = model.task!;
  const query = { step, key, name: artifact.name };
  return (
    <section
      className="jp-nbflow-Artifact"
      data-artifact={artifact.name}
      aria-label={artifact.name}
    >
      <header
        title={trans.__('Drag it into a notebook to load it there')}
        onMouseDown={event => {
          if (event.button === 0 && !(event.target as Element).closest('button, a')) {
            event.preventDefault();
            props.onDrag(event.nativeEvent, artifact);
          }
        }}
      >
        <b>{artifact.name}</b>
        <span>{shape(artifact)}</span>
        <span>{bytes(artifact.size)}</span>
        <span className="jp-nbflow-Bar-space" />
        <Button
          label={trans.__('Load into notebook')}
          onClick={() => props.onLoad(artifact)}
        />
        <Button
          label={trans.__('Copy path')}
          onClick={() => props.onCopy(artifact.path)}
        />
        <a
          className="jp-nbflow-Button jp-mod-text"
          href={model.api.url(model.path, 'artifact', query)}
          download
        >
          {trans.__('Download')}
        </a>
      </header>
      {artifact.image ? (
        <img
          alt={artifact.name}
          loading="lazy"
          src={model.api.url(model.path, 'image', query)}
        />
      ) : (
        <Preview preview={artifact.preview} text={artifact.text} trans={trans} />
      )}
    </section>
  );
}

/** The type, with the shape where there is one. */
function shape(artifact: IArtifactInfo): string {
  const name = artifact.type.split('.').at(-1)!;
  const dims = artifact.preview?.shape;
  return Array.isArray(dims) ? `${name} ${dims.join(' × ')}` : name;
}

type Stats = Record<string, Json>;

function Preview(props: {
  preview: Record<string, Json> | null;
  text: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { preview, trans } = props;
  if (preview?.kind === 'frame' || preview?.kind === 'series') {
    const columns = preview.columns as [string, string][];
    const index = preview.index as Json[];
    const cells = preview.rows as Json[][];
    const stats = (preview.stats ?? {}) as Record<string, Stats>;
    const below = footer(columns, stats);
    return (
      <div
        className="jp-nbflow-Frame"
        tabIndex={0}
        role="group"
        aria-label={trans.__('First rows')}
      >
        <table>
          <thead>
            <tr>
              <th />
              {columns.map(([name, dtype], at) => (
                <th key={at} scope="col">
                  {name}
                  <small>{dtype}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cells.map((row, at) => (
              <tr key={at}>
                <th scope="row">{value(index[at])}</th>
                {row.map((cell, column) => (
                  <td key={column} data-number={typeof cell === 'number'}>
                    {value(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          {below.length > 0 && (
            <tfoot>
              {below.map(([name, texts]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {texts.map((text, at) => (
                    <td key={at} data-number="true">
                      {text}
                    </td>
                  ))}
                </tr>
              ))}
            </tfoot>
          )}
        </table>
      </div>
    );
  }
  if (preview?.kind === 'array') {
    const stats = (preview.stats ?? {}) as Stats;
    return (
      <div className="jp-nbflow-Array">
        <code>{head(preview.head as Json[], preview.shape as number[])}</code>
        <span>
          {String(preview.dtype)}
          {Object.entries(stats).map(([name, item]) => ` · ${name} ${value(item)}`)}
        </span>
      </div>
    );
  }
  return <pre className="jp-nbflow-Repr">{String(preview?.repr ?? props.text)}</pre>;
}
