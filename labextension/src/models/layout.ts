/** Where the steps of a graph stand. */

import { Graph, layout } from '@dagrejs/dagre';

import { IGraph } from '../wire';

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 46;

export interface IPoint {
  x: number;
  y: number;
}

export interface ILayout {
  width: number;
  height: number;
  nodes: Record<string, IPoint>;
  edges: { source: string; target: string; names: string[]; path: string }[];
}

/** Two graphs of one shape have one layout: a change of status never lays out again. */
export function shapeOf(graph: IGraph): string {
  return (
    graph.nodes.map(node => node.name).join() +
    '|' +
    graph.edges.map(edge => `${edge.source}>${edge.target}`).join()
  );
}

/** A layered layout, left to right or top down. A fan-out is one node however many tasks it has. */
export function place(graph: IGraph, direction: 'LR' | 'TB'): ILayout {
  const dagre = new Graph();
  dagre.setGraph({
    rankdir: direction,
    nodesep: 18,
    ranksep: 44,
    marginx: 14,
    marginy: 14
  });
  dagre.setDefaultEdgeLabel(() => ({}));
  const known = new Set(graph.nodes.map(node => node.name));
  for (const name of known) {
    dagre.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  }
  const edges = graph.edges.filter(
    edge => known.has(edge.source) && known.has(edge.target)
  );
  for (const edge of edges) {
    dagre.setEdge(edge.source, edge.target);
  }
  layout(dagre);
  const size = dagre.graph() as { width: number; height: number };
  const nodes: Record<string, IPoint> = {};
  for (const name of known) {
    const { x, y } = dagre.node(name) as IPoint;
    nodes[name] = { x, y };
  }
  return {
    width: Math.max(size.width || 0, 40),
    height: Math.max(size.height || 0, 40),
    nodes,
    edges: edges.map(edge => ({
      ...edge,
      path: curve(
        [
          side(nodes[edge.source], 1, direction),
          ...(dagre.edge(edge.source, edge.target) as { points: IPoint[] }).points.slice(
            1,
            -1
          ),
          side(nodes[edge.target], -1, direction)
        ],
        direction
      )
    }))
  };
}

/** The middle of the side where edges leave (1) or arrive (-1). */
function side(node: IPoint, sign: 1 | -1, direction: 'LR' | 'TB'): IPoint {
  return direction === 'LR'
    ? { x: node.x + (sign * NODE_WIDTH) / 2, y: node.y }
    : { x: node.x, y: node.y + (sign * NODE_HEIGHT) / 2 };
}

/** A smooth line through the points. */
function curve(points: IPoint[], direction: 'LR' | 'TB'): string {
  let path = `M${points[0].x},${points[0].y}`;
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1];
    const to = points[i];
    path +=
      direction === 'LR'
        ? `C${(from.x + to.x) / 2},${from.y} ${(from.x + to.x) / 2},${to.y} ${to.x},${to.y}`
        : `C${from.x},${(from.y + to.y) / 2} ${to.x},${(from.y + to.y) / 2} ${to.x},${to.y}`;
  }
  return path;
}
