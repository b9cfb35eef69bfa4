/** The graph of a notebook as it is edited: the active cell and the selected node are one. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { FlowGraph } from '../components/FlowGraph';
import { useChanges } from '../components/hooks';
import { Empty } from '../components/parts';
import { CellState } from '../models/cellstates';
import { NotebookFlow } from './model';

const NONE = new Map<string, never>();

export function GraphPanel(props: {
  flow: NotebookFlow;
  trans: TranslationBundle;
}): JSX.Element {
  const { flow, trans } = props;
  useChanges(flow.changed);
  const { compiled } = flow;
  if (!compiled) {
    return (
      <Empty>{trans.__('Tag a cell with %1 to begin a flow.', '%%step NAME')}</Empty>
    );
  }
  const badges = new Map<string, CellState>(
    compiled.graph.nodes.map(node => [node.name, flow.badge(node.name).state])
  );
  const found = compiled.diagnostics;
  return (
    <>
      <FlowGraph
        graph={compiled.graph}
        states={NONE}
        strips={NONE}
        badges={badges}
        trans={trans}
        direction="TB"
        selected={flow.activeStep}
        onSelect={step => step && flow.select(step)}
        onOpen={step => {
          flow.select(step);
          flow.panel.content.activate();
        }}
      />
      {found.length > 0 && (
        <ul className="jp-nbflow-Findings" aria-label={trans.__('Diagnostics')}>
          {found.map((one, index) => (
            <li key={index} data-severity={one.severity}>
              <button
                type="button"
                disabled={one.cell === null}
                onClick={() => {
                  flow.panel.content.activeCellIndex = one.cell!;
                  void flow.panel.content.scrollToItem(one.cell!, 'smart');
                }}
              >
                <b>{one.code}</b> {one.message}
                {one.fix && <small>{one.fix}</small>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
