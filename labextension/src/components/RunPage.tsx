/** The page of a run: what happened on top, what of it is selected below. */

import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { cut, duration } from '../models/format';
import { isFinal, RunPageModel, Tab } from '../models/runpage';
import { IArtifactInfo, IRunError } from '../wire';
import { Artifacts } from './Artifacts';
import { Code } from './Code';
import { FlowGraph } from './FlowGraph';
import { useChanges, useNow } from './hooks';
import { Log } from './Log';
import { Outputs } from './Outputs';
import { Environment, ErrorBox, RunOverview, TaskOverview } from './Overview';
import { Button, Empty, Glyph, sentence, statusText, Tabs } from './parts';
import { Tasks } from './Tasks';
import { Timeline } from './Timeline';

export interface IRunPageProps {
  model: RunPageModel;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  onCancel(): void;
  onResume(): void;
  onTag(): void;
  onStartAgain(): void;
  onGo(cell: number, line: number | null, step: string): void;
  onOpen(run: string): void;
  onLoad(artifact: IArtifactInfo): void;
  onDrag(event: MouseEvent, artifact: IArtifactInfo): void;
  onLoadInputs(step: string, key: string): void;
  onDebug(step: string, key: string, error: IRunError | null): void;
  onCopy(text: string): void;
  current(step: string): string | null;
}

export function RunPage(props: IRunPageProps): JSX.Element {
  const { model, trans } = props;
  useChanges(model.changed);
  if (model.gone) {
    return <Empty>{trans.__('Run %1 was deleted.', model.path)}</Empty>;
  }
  if (model.error !== null && !model.detail) {
    return (
      <Empty error>
        <p>{model.error}</p>
        <Button label={trans.__('Try again')} onClick={() => void model.load()} />
      </Empty>
    );
  }
  if (!model.detail || !model.graph) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  return <Loaded {...props} />;
}

function Loaded(props: IRunPageProps): JSX.Element {
  const { model, trans } = props;
  const { detail, graph, state } = model;
  const row = detail!.row;
  const [top, setTop] = React.useState<number | null>(null);
  const { step } = state;
  const many = step !== null && model.fansOut(step);
  const own: { id: Tab; label: string; count?: number | null }[] = step
    ? [
        { id: 'overview', label: trans.__('Overview') },
        ...(many
          ? [
              {
                id: 'tasks' as const,
                label: trans.__('Tasks'),
                count: model.states.get(step)?.total
              }
            ]
          : []),
        { id: 'log', label: trans.__('Log') },
        { id: 'outputs', label: trans.__('Outputs') },
        { id: 'artifacts', label: trans.__('Artifacts') },
        { id: 'code', label: trans.__('Code') }
      ]
    : [
        { id: 'overview', label: trans.__('Overview') },
        { id: 'tasks', label: trans.__('Tasks') },
        { id: 'code', label: trans.__('Code') },
        { id: 'environment', label: trans.__('Environment') }
      ];
  const tab = own.some(other => other.id === state.tab) ? state.tab : 'overview';
  return (
    <div className="jp-nbflow-Page" data-run={row.run} data-status={row.status}>
      <Header {...props} />
      {detail!.error && detail!.error.step !== step && (
        <ErrorBox {...props} error={detail!.error} />
      )}
      {detail!.lost && row.status === 'lost' && (
        <p className="jp-nbflow-Page-lost">{sentence(detail!.lost)}</p>
      )}
      <div
        className="jp-nbflow-Page-top"
        data-view={state.view}
        style={top === null ? undefined : { height: top, flex: 'none' }}
      >
        {state.view === 'graph' ? (
          <FlowGraph
            graph={graph!}
            states={model.states}
            strips={model.strips}
            error={detail!.error}
            over={isFinal(row.status)}
            trans={trans}
            selected={step}
            onSelect={name => model.select({ step: name })}
            onOpen={name => {
              const node = graph!.nodes.find(other => other.name === name);
              if (node?.cells.length) {
                props.onGo(node.cells[0], null, name);
              }
            }}
          />
        ) : (
          <Timeline model={model} trans={trans} />
        )}
        <div className="jp-nbflow-Page-view">
          <Tabs
            small
            label={trans.__('View')}
            current={state.view}
            onChange={view => model.select({ view })}
            tabs={[
              { id: 'graph', label: trans.__('Graph') },
              { id: 'timeline', label: trans.__('Timeline') }
            ]}
          />
        </div>
      </div>
      <Handle onMove={setTop} label={trans.__('Resize')} />
      <div className="jp-nbflow-Page-bottom">
        <div className="jp-nbflow-Page-tabs">
          <Tabs
            label={trans.__('Details')}
            tabs={own}
            current={tab}
            onChange={id => model.select({ tab: id })}
          />
          <span className="jp-nbflow-Bar-space" />
          {step && (
            <span className="jp-nbflow-Chip">
              {step}
              {model.task!.key && ` / ${model.task!.key}`}
              <button
                type="button"
                aria-label={trans.__('Show the whole run')}
                title={trans.__('Show the whole run')}
                onClick={() => model.select({ step: null, tab: 'overview' })}
              >
                ×
              </button>
            </span>
          )}
        </div>
        <div className="jp-nbflow-Page-body" role="tabpanel" aria-label={tab} key={tab}>
          {tab === 'overview' &&
            (step ? <TaskOverview {...props} /> : <RunOverview {...props} />)}
          {tab === 'tasks' && <Tasks model={model} trans={trans} />}
          {tab === 'log' && <Log model={model} trans={trans} />}
          {tab === 'outputs' && (
            <Outputs model={model} rendermime={props.rendermime} trans={trans} />
          )}
          {tab === 'artifacts' && <Artifacts {...props} />}
          {tab === 'code' && <Code {...props} />}
          {tab === 'environment' && <Environment model={model} trans={trans} />}
        </div>
      </div>
    </div>
  );
}

function Header(props: IRunPageProps): JSX.Element {
  const { model, trans } = props;
  const row = model.detail!.row;
  const running = !isFinal(row.status);
  const now = useNow(running);
  const states = [...model.states.values()];
  const total = states.reduce((sum, state) => sum + (state.total ?? state.done + 1), 0);
  const done = states.reduce((sum, state) => sum + state.done, 0);
  const cached = states.reduce((sum, state) => sum + (state.counts.cached ?? 0), 0);
  const waiting = running && states.find(state => state.waits !== null);
  const seconds = row.started === null ? null : (row.finished ?? now) - row.started;
  return (
    <header className="jp-nbflow-Page-header">
      <Glyph status={row.status} trans={trans} size={22} />
      <div>
        <h1>
          {row.flow}
          <span>/{row.number}</span>
        </h1>
        <p>
          <b>
            {row.cancelling && running
              ? trans.__('cancelling')
              : statusText(trans, row.status)}
          </b>
          {seconds !== null && ` · ${duration(seconds)}`}
          {total > 0 &&
            ` · ${trans.__('%1 of %2 tasks', done.toLocaleString(), total.toLocaleString())}`}
          {cached > 0 && ` · ${trans.__('%1 cached', cached)}`}
          {row.engine && ` · ${row.engine}`}
        </p>
        {waiting && (
          <p className="jp-nbflow-Page-waits" title={waiting.waits!}>
            <b>{cut(waiting.name, 30)}</b> {waiting.waits}
          </p>
        )}
      </div>
      <div className="jp-nbflow-Tags">
        {row.tags.map(tag => (
          <span key={tag} className="jp-nbflow-Tag">
            {tag}
          </span>
        ))}
      </div>
      <span className="jp-nbflow-Bar-space" />
      <div className="jp-nbflow-Bar">
        {running && (
          <Button
            danger
            label={trans.__('Cancel')}
            disabled={row.cancelling}
            onClick={props.onCancel}
          />
        )}
        {!running && row.status !== 'succeeded' && (
          <Button primary label={trans.__('Resume')} onClick={props.onResume} />
        )}
        {row.notebook && (
          <Button label={trans.__('Run again…')} onClick={props.onStartAgain} />
        )}
        <Button label={trans.__('Tag…')} onClick={props.onTag} />
      </div>
      {running && (
        <progress
          aria-label={trans.__('Tasks that have ended')}
          max={Math.max(1, total)}
          value={done}
        />
      )}
    </header>
  );
}

/** The line between the halves: drag it, or move it by the arrow keys. */
function Handle(props: { label: string; onMove(height: number): void }): JSX.Element {
  const move = (event: React.PointerEvent<HTMLDivElement>) => {
    const node = event.currentTarget;
    const above = node.previousElementSibling as HTMLElement;
    const start = event.clientY - above.clientHeight;
    const drag = (other: PointerEvent) =>
      props.onMove(Math.max(80, other.clientY - start));
    node.setPointerCapture(event.pointerId);
    node.addEventListener('pointermove', drag);
    node.addEventListener('lostpointercapture', () =>
      node.removeEventListener('pointermove', drag)
    );
  };
  return (
    <div
      className="jp-nbflow-Handle"
      role="separator"
      aria-orientation="horizontal"
      aria-label={props.label}
      aria-valuenow={50}
      tabIndex={0}
      onPointerDown={move}
      onKeyDown={event => {
        const by = { ArrowUp: -24, ArrowDown: 24 }[event.key];
        if (by) {
          const above = event.currentTarget.previousElementSibling as HTMLElement;
          props.onMove(Math.max(80, above.clientHeight + by));
          event.preventDefault();
        }
      }}
    />
  );
}
