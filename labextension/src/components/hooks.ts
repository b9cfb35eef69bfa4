/** What components need of the world around them. */

import { ISignal } from '@lumino/signaling';
import React from 'react';

/** Draw again whenever the signal is emitted. */
export function useChanges(signal: ISignal<unknown, unknown>): void {
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => draw();
    signal.connect(slot);
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}

/** The time in seconds, counting on while `running`. */
export function useNow(running: boolean, every = 1000): number {
  const [now, setNow] = React.useState(() => Date.now() / 1000);
  React.useEffect(() => {
    if (!running) {
      return;
    }
    const tick = () => setNow(Date.now() / 1000);
    tick();
    const timer = window.setInterval(tick, every);
    return () => window.clearInterval(timer);
  }, [running, every]);
  return now;
}

export interface ILoaded<T> {
  data: T | null;
  error: string | null;
}

const NOTHING = { data: null, error: null };

/** What a promise gives of `key`; asked `again`, the old answer is kept until the new one comes. */
export function useLoaded<T>(load: () => Promise<T>, key: string, again = 0): ILoaded<T> {
  const [state, setState] = React.useState<ILoaded<T> & { of: string }>({
    data: null,
    error: null,
    of: ''
  });
  React.useEffect(() => {
    let live = true;
    load().then(
      data => live && setState({ data, error: null, of: key }),
      (reason: unknown) =>
        live &&
        setState({
          data: null,
          error: reason instanceof Error ? reason.message : String(reason),
          of: key
        })
    );
    return () => {
      live = false;
    };
  }, [key, again]);
  return state.of === key ? state : NOTHING;
}

export interface IRows {
  box: React.RefObject<HTMLDivElement>;
  first: number;
  last: number;
  height: number;
  show(index: number): void;
}

/** A window on `count` rows of one height; the scrolling element's height must be bounded. */
export function useRows(count: number, row: number, overscan = 8): IRows {
  const box = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState({ top: 0, rows: 20 });
  const empty = count === 0;
  React.useLayoutEffect(() => {
    const node = box.current;
    if (!node) {
      return;
    }
    const read = () =>
      setView(old => {
        const top = Math.floor(node.scrollTop / row);
        const rows = Math.ceil(node.clientHeight / row);
        return top === old.top && rows === old.rows ? old : { top, rows };
      });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(node);
    node.addEventListener('scroll', read, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener('scroll', read);
    };
  }, [empty, row]);
  return {
    box,
    first: Math.max(0, Math.min(view.top, count - view.rows) - overscan),
    last: Math.min(count, view.top + view.rows + overscan),
    height: count * row,
    show: index => {
      const node = box.current;
      if (node) {
        const start = index * row;
        node.scrollTop = Math.max(
          start + row - node.clientHeight,
          Math.min(start, node.scrollTop)
        );
      }
    }
  };
}

/** The width inside an element's padding, as it is resized. */
export function useWidth(): [React.RefObject<HTMLDivElement>, number] {
  const box = React.useRef<HTMLDivElement>(null);
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    const node = box.current;
    if (!node) {
      return;
    }
    const read = () => {
      const style = getComputedStyle(node);
      const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
      setWidth(Math.max(0, node.clientWidth - padding));
    };
    const observer = new ResizeObserver(read);
    read();
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
