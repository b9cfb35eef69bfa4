/** A small window at a badge, which closes as soon as anything else is pressed. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

const ROOM = 12;

/** Show an element below ``anchor``; gives what closes it. */
export function popover(
  anchor: HTMLElement,
  label: string,
  content: (close: () => void) => JSX.Element
): () => void {
  const place = anchor.getBoundingClientRect();
  const close = () => {
    document.removeEventListener('pointerdown', outside, true);
    document.removeEventListener('keydown', escape, true);
    widget.dispose();
  };
  const widget = ReactWidget.create(content(close));
  const outside = (event: Event) => {
    if (!widget.node.contains(event.target as Node)) {
      close();
    }
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
      anchor.focus();
    }
  };
  widget.addClass('jp-nbflow-Popover');
  widget.node.setAttribute('role', 'dialog');
  widget.node.setAttribute('aria-label', label);
  Widget.attach(widget, document.body);
  const { style } = widget.node;
  style.left = `${Math.max(ROOM, Math.min(place.left, window.innerWidth - 380 - ROOM))}px`;
  if (place.bottom > window.innerHeight * 0.65) {
    style.bottom = `${window.innerHeight - place.top + 4}px`;
  } else {
    style.top = `${place.bottom + 4}px`;
  }
  document.addEventListener('pointerdown', outside, true);
  document.addEventListener('keydown', escape, true);
  return close;
}
