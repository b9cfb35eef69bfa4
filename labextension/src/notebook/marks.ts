/** What is drawn in a cell's editor: the badge on the tag's line, and underlined diagnostics. */

import { Extension, Range, RangeSet, StateEffect } from '@codemirror/state';
import {
  Decoration,
  DecorationSet,
  EditorView,
  hoverTooltip,
  ViewPlugin,
  ViewUpdate,
  WidgetType
} from '@codemirror/view';
import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal } from '@lumino/signaling';

import { statusText } from '../components/parts';
import { cellTag } from '../models/cells';
import { CellState } from '../models/cellstates';
import { age, duration } from '../models/format';
import { IDiagnostic } from '../wire';
import { NotebookFlow } from './model';
import { tagsOf } from './places';

export interface IMarksOptions {
  trans: TranslationBundle;
  /** The notebook of the cell, and the cell's place in it. */
  find(): { flow: NotebookFlow; index: number } | null;
  any: ISignal<object, void>;
  /** Show where a step ran, at its badge. */
  history(badge: HTMLElement, flow: NotebookFlow, step: string): void;
}

const refresh = StateEffect.define<null>();

class Badge extends WidgetType {
  constructor(
    readonly step: string,
    readonly state: CellState,
    readonly text: string,
    readonly title: string,
    readonly notes: readonly IDiagnostic[],
    readonly onClick: (badge: HTMLElement) => void
  ) {
    super();
  }

  eq(other: Badge): boolean {
    return (
      other.step === this.step &&
      other.state === this.state &&
      other.text === this.text &&
      other.title === this.title &&
      other.notes.map(one => one.message).join() ===
        this.notes.map(one => one.message).join()
    );
  }

  toDOM(): HTMLElement {
    const node = document.createElement('button');
    node.type = 'button';
    node.className = 'jp-nbflow-Badge';
    node.dataset.state = this.state;
    node.dataset.step = this.step;
    node.textContent = this.text;
    node.title = [this.title, ...this.notes.map(one => one.message)].join('\n');
    node.setAttribute('aria-label', `${this.step}: ${node.title}`);
    if (this.notes.length) {
      const mark = node.appendChild(document.createElement('i'));
      mark.className = 'jp-nbflow-Badge-notes';
      mark.textContent = '!';
    }
    node.setAttribute('aria-haspopup', 'dialog');
    node.onclick = () => this.onClick(node);
    return node;
  }

  ignoreEvent(): boolean {
    return true;
  }
}

/** The extension of one cell's editor. */
export function cellMarks(options: IMarksOptions): Extension {
  const diagnostics = () => {
    const found = options.find();
    return found ? found.flow.diagnostics(found.index) : [];
  };
  const marks = ViewPlugin.fromClass(
    class {
      decorations: DecorationSet = RangeSet.empty;

      constructor(readonly view: EditorView) {
        this.decorations = this.build();
        options.any.connect(this.onChange, this);
        // an editor may come to be after its notebook was compiled
        queueMicrotask(() => this.onChange());
      }

      onChange(): void {
        if (this.view.dom.isConnected) {
          this.view.dispatch({ effects: refresh.of(null) });
        }
      }

      update(update: ViewUpdate): void {
        if (
          update.transactions.some(one => one.effects.some(effect => effect.is(refresh)))
        ) {
          this.decorations = this.build();
        } else if (update.docChanged) {
          // positions move along until the notebook has been compiled again
          this.decorations = this.decorations.map(update.changes);
        }
      }

      destroy(): void {
        options.any.disconnect(this.onChange, this);
      }

      build(): DecorationSet {
        const found = diagnostics().flatMap(one => {
          const { from, to } = place(this.view, one);
          return from < to
            ? [
                Decoration.mark({
                  class: 'jp-nbflow-Finding',
                  attributes: { 'data-severity': one.severity, 'data-code': one.code }
                }).range(from, to)
              ]
            : [];
        });
        const badge = badgeOf(this.view, options);
        return Decoration.set(badge ? [...found, badge] : found, true);
      }
    },
    { decorations: plugin => plugin.decorations }
  );
  const tooltip = hoverTooltip((view, at) => {
    const found = diagnostics()
      .map(one => ({ ...place(view, one), one }))
      .filter(({ from, to }) => from <= at && at <= to);
    return found.length === 0
      ? null
      : {
          pos: found[0].from,
          end: found[0].to,
          above: true,
          create: () => ({ dom: message(found.map(({ one }) => one)) })
        };
  });
  return [marks, tooltip];
}

/** The badge at the end of the line that tags the cell as a step. */
function badgeOf(view: EditorView, options: IMarksOptions): Range<Decoration> | null {
  const found = options.find();
  if (!found || !found.flow.choices.badges) {
    return null;
  }
  const { doc } = view.state;
  const cell = found.flow.panel.content.widgets[found.index];
  const tag = cellTag(doc.sliceString(0, 4000), tagsOf(cell));
  if (tag?.kind !== 'step' || tag.line >= doc.lines) {
    return null;
  }
  const { state, last } = found.flow.badge(tag.name);
  const label = statusText(options.trans, state);
  // what was taken from the cache took no time
  const took =
    last && last.started !== null && last.finished !== null
      ? last.finished - last.started
      : 0;
  const seconds = took >= 0.0005 ? duration(took) : '';
  const title = last
    ? [
        label,
        last.run || options.trans.__('by hand'),
        age(last.created, Date.now() / 1000)
      ].join(', ')
    : options.trans.__('This step has not run');
  const widget = new Badge(
    tag.name,
    state,
    seconds && state !== 'running' && state !== 'never' ? `${label} · ${seconds}` : label,
    title,
    found.flow.notes(cell),
    badge => options.history(badge, found.flow, tag.name)
  );
  return Decoration.widget({ widget, side: 1 }).range(doc.line(tag.line + 1).to);
}

/** From line and column to a range of the document: the word, or the rest of the line. */
function place(view: EditorView, found: IDiagnostic): { from: number; to: number } {
  const { doc } = view.state;
  const line = doc.line(Math.max(1, Math.min(doc.lines, found.line ?? 1)));
  const indent = line.text.length - line.text.trimStart().length;
  const start = Math.min(found.column ?? indent, line.length);
  const word = found.column === null ? null : /^\w+/.exec(line.text.slice(start));
  return {
    from: line.from + start,
    to: line.from + (word ? start + word[0].length : line.length)
  };
}

/** What is wrong, and the way out. */
function message(found: readonly IDiagnostic[]): HTMLElement {
  const node = document.createElement('div');
  node.className = 'jp-nbflow-Message';
  for (const one of found) {
    const item = node.appendChild(document.createElement('p'));
    item.dataset.severity = one.severity;
    item.append(Object.assign(document.createElement('b'), { textContent: one.code }));
    item.append(` ${one.message}`);
    if (one.fix) {
      item.append(
        Object.assign(document.createElement('small'), { textContent: one.fix })
      );
    }
  }
  return node;
}
