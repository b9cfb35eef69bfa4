/** Small parts that every page is made of. */

import { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { CellState } from '../models/cellstates';
import { segments } from '../models/strip';
import { Status } from '../wire';

/** A status in the user's words. */
export function statusText(trans: TranslationBundle, status: Status | CellState): string {
  switch (status) {
    case 'pending':
      return trans.__('pending');
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'skipped':
      return trans.__('skipped');
    case 'cached':
      return trans.__('cached');
    case 'cancelled':
      return trans.__('cancelled');
    case 'lost':
      return trans.__('lost');
    case 'never':
      return trans.__('never run');
    case 'fresh':
      return trans.__('fresh');
    case 'stale':
      return trans.__('stale');
  }
}

/** What ended a task from outside its code, in words; else the error's type as Python has it. */
export function failureText(trans: TranslationBundle, type: string): string {
  switch (type) {
    case 'OutOfMemory':
      return trans.__('out of memory');
    case 'Evicted':
      return trans.__('evicted');
    case 'ImageNotFound':
      return trans.__('image not found');
    case 'ImageError':
      return trans.__('image cannot run');
    case 'PodConfigError':
    case 'PodRefused':
    case 'JobRefused':
      return trans.__('refused by the cluster');
    case 'PodFailed':
    case 'ProcessDied':
      return trans.__('process died');
    default:
      return type;
  }
}

/** Each status has a shape as well as a colour. */
const SHAPES: Record<Status, JSX.Element> = {
  pending: <circle cx="8" cy="8" r="5" className="jp-nbflow-Glyph-ring" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" className="jp-nbflow-Glyph-track" />
      <path d="M8 2.5a5.5 5.5 0 0 1 5.5 5.5" className="jp-nbflow-Glyph-spin" />
    </>
  ),
  succeeded: (
    <>
      <circle cx="8" cy="8" r="6.5" className="jp-nbflow-Glyph-fill" />
      <path d="M5 8.2l2.1 2.1L11 6.2" className="jp-nbflow-Glyph-mark" />
    </>
  ),
  failed: (
    <>
      <path
        d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"
        className="jp-nbflow-Glyph-fill"
      />
      <path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" className="jp-nbflow-Glyph-mark" />
    </>
  ),
  cached: (
    <>
      <circle cx="8" cy="8" r="6.5" className="jp-nbflow-Glyph-fill" />
      <path d="M8.8 3.8L5.4 8.8h2.4l-.6 3.4 3.4-5H8.2z" className="jp-nbflow-Glyph-dot" />
    </>
  ),
  skipped: (
    <>
      <circle cx="8" cy="8" r="6" className="jp-nbflow-Glyph-ring" />
      <path d="M5 8h6" className="jp-nbflow-Glyph-line" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6.5" className="jp-nbflow-Glyph-fill" />
      <rect x="5.6" y="5.6" width="4.8" height="4.8" className="jp-nbflow-Glyph-dot" />
    </>
  ),
  lost: (
    <>
      <path d="M8 1.5l7 12.5H1z" className="jp-nbflow-Glyph-fill" />
      <path d="M8 6v3.6M8 11.6v.2" className="jp-nbflow-Glyph-mark" />
    </>
  )
};

/** A status as a small sign. */
export function Glyph(props: {
  status: Status;
  trans: TranslationBundle;
  size?: number;
}): JSX.Element {
  const size = props.size ?? 16;
  return (
    <svg
      className="jp-nbflow-Glyph"
      data-status={props.status}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      role="img"
      aria-label={statusText(props.trans, props.status)}
    >
      <title>{statusText(props.trans, props.status)}</title>
      {SHAPES[props.status]}
    </svg>
  );
}

/** Tasks of a step in order, as one coloured bar. */
export function Strip(props: {
  strip: readonly [Status, number][];
  width: number;
  height?: number;
  label: string;
}): JSX.Element {
  const height = props.height ?? 5;
  let at = 0;
  return (
    <svg
      className="jp-nbflow-Strip"
      width={props.width}
      height={height}
      role="img"
      aria-label={props.label}
    >
      {segments(props.strip, props.width / 2).map((segment, index) => {
        const x = at * props.width;
        at += segment.share;
        return (
          <rect
            key={index}
            data-status={segment.status}
            x={x}
            width={segment.share * props.width}
            height={height}
          />
        );
      })}
    </svg>
  );
}

/** A sentence: what stands between backticks is code. */
export function sentence(text: string): React.ReactNode[] {
  return text
    .split('`')
    .map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

/** Text or icon to press. */
export function Button(props: {
  label: string;
  onClick: (event: React.MouseEvent) => void;
  icon?: LabIcon;
  text?: boolean;
  primary?: boolean;
  danger?: boolean;
  disabled?: boolean;
  pressed?: boolean;
}): JSX.Element {
  const kinds = ['jp-nbflow-Button'];
  if (props.text ?? !props.icon) {
    kinds.push('jp-mod-text');
  }
  if (props.primary) {
    kinds.push('jp-mod-primary');
  }
  if (props.danger) {
    kinds.push('jp-mod-danger');
  }
  return (
    <button
      type="button"
      className={kinds.join(' ')}
      title={props.label}
      aria-label={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.icon && <props.icon.react tag="span" width="16px" height="16px" />}
      {(props.text ?? !props.icon) && <span>{props.label}</span>}
    </button>
  );
}

/** A row of tabs; the arrow keys walk along it. */
export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly { id: T; label: string; count?: number | null }[];
  current: T;
  onChange: (id: T) => void;
  small?: boolean;
}): JSX.Element {
  const walk = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step) {
      const at = props.tabs.findIndex(tab => tab.id === props.current);
      const next = (at + step + props.tabs.length) % props.tabs.length;
      props.onChange(props.tabs[next].id);
      (event.currentTarget.children[next] as HTMLElement).focus();
      event.preventDefault();
    }
  };
  return (
    <div
      className={props.small ? 'jp-nbflow-Tabs jp-mod-small' : 'jp-nbflow-Tabs'}
      role="tablist"
      aria-label={props.label}
      onKeyDown={walk}
    >
      {props.tabs.map(tab => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          data-tab={tab.id}
          aria-selected={tab.id === props.current}
          tabIndex={tab.id === props.current ? 0 : -1}
          onClick={() => props.onChange(tab.id)}
        >
          {tab.label}
          {!!tab.count && (
            <span className="jp-nbflow-Tabs-count">{tab.count.toLocaleString()}</span>
          )}
        </button>
      ))}
    </div>
  );
}

/** What a place says that has nothing to show. */
export function Empty(props: {
  children: React.ReactNode;
  error?: boolean;
}): JSX.Element {
  return (
    <div
      className={props.error ? 'jp-nbflow-Empty jp-mod-error' : 'jp-nbflow-Empty'}
      role={props.error ? 'alert' : 'status'}
    >
      {props.children}
    </div>
  );
}

/** A name and its value, one below the other. */
export function Facts(props: {
  rows: readonly [string, React.ReactNode][];
}): JSX.Element {
  return (
    <dl className="jp-nbflow-Facts">
      {props.rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
