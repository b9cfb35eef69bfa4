/** What a task has shown, drawn as the notebook would. */

import { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { Message, MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import React from 'react';

import { RunPageModel } from '../models/runpage';
import { IOutputItem } from '../wire';
import { useLoaded } from './hooks';
import { Empty } from './parts';

/** HTML with code of its own: it only ever runs in a frame that can reach nothing. */
const ACTIVE = /<(script|iframe|object|embed|link|style)\b|\son\w+\s*=/i;

export interface IOutputsProps {
  model: RunPageModel;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function Outputs(props: IOutputsProps): JSX.Element {
  const { model, trans } = props;
  const task = model.task!;
  const { data, error } = useLoaded(
    () => model.api.outputs(model.path, task),
    `${model.path}/${task.step}/${task.key}`,
    model.revision
  );
  if (error !== null) {
    return <Empty error>{error}</Empty>;
  }
  if (!data) {
    return <Empty>{trans.__('Loading…')}</Empty>;
  }
  if (data.outputs.length === 0) {
    return <Empty>{trans.__('This task has shown nothing but what its log has.')}</Empty>;
  }
  return (
    <div
      className="jp-nbflow-Outputs jp-nbflow-Scroll"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Shown outputs')}
    >
      {data.outputs.map((output, index) => (
        <div key={index} className="jp-nbflow-Output">
          {isActive(output) ? (
            <iframe
              title={trans.__('Output %1', index + 1)}
              sandbox="allow-scripts"
              src={model.api.frame(model.path, { ...task, index })}
            />
          ) : (
            <Rendered output={output} rendermime={props.rendermime} trans={trans} />
          )}
        </div>
      ))}
    </div>
  );
}

function isActive(output: IOutputItem): boolean {
  const html = output.data['text/html'];
  return (
    typeof html === 'string' &&
    ACTIVE.test(html.replace(/<style scoped>[^]*?<\/style>/g, ''))
  );
}

/** One MIME bundle, drawn by JupyterLab's own renderers; HTML is cleaned first. */
function Rendered(props: {
  output: IOutputItem;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}): JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const { output, rendermime, trans } = props;
  const text =
    JSON.stringify(output.data).length > 1e7 ? '' : JSON.stringify(output.data);
  const type = rendermime.preferredMimeType(output.data as never, 'any');
  React.useEffect(() => {
    if (!box.current || !type) {
      return;
    }
    const model = rendermime.createModel({
      data: output.data as never,
      metadata: output.metadata as never,
      trusted: false
    });
    const renderer: IRenderMime.IRenderer = rendermime.createRenderer(type);
    MessageLoop.sendMessage(renderer, Widget.Msg.BeforeAttach as Message);
    box.current.replaceChildren(renderer.node);
    MessageLoop.sendMessage(renderer, Widget.Msg.AfterAttach as Message);
    renderer.renderModel(model).catch((reason: unknown) => {
      renderer.node.textContent = String(reason);
    });
    return () => {
      MessageLoop.sendMessage(renderer, Widget.Msg.BeforeDetach as Message);
      renderer.node.remove();
      MessageLoop.sendMessage(renderer, Widget.Msg.AfterDetach as Message);
      renderer.dispose();
    };
  }, [text, type]);
  if (!type) {
    return (
      <Empty>
        {trans.__('Nothing here can draw %1.', Object.keys(output.data).join(', '))}
      </Empty>
    );
  }
  return <div ref={box} className="jp-OutputArea-output" />;
}
