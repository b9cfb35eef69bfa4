/** What is out of the ordinary in a run, each a way to the step that it is about. */

import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { isFinal, RunPageModel } from '../models/runpage';
import { ISince } from '../wire';
import { useLoaded } from './hooks';
import { sentence } from './parts';

/** From this weight on, a flag is a warning. */
const WARNING = 7;
const FEW = 6;

export function FlagList(props: {
  model: RunPageModel;
  trans: TranslationBundle;
  onOpen(run: string): void;
}): JSX.Element | null {
  const { model, trans } = props;
  const final = isFinal(model.detail!.row.status);
  const { data } = useLoaded(
    () => (final ? model.api.flags(model.path) : Promise.resolve(null)),
    `${model.path}/${final}`
  );
  const [all, setAll] = React.useState(false);
  if (!data || data.flags.length === 0) {
    return null;
  }
  const shown = all ? data.flags : data.flags.slice(0, FEW);
  const rest = data.flags.length - shown.length;
  return (
    <section className="jp-nbflow-Card jp-nbflow-Flags jp-mod-wide">
      <h3>
        {trans.__('Out of the ordinary')}
        <small>
          {trans._n(
            'held against %1 earlier run',
            'held against %1 earlier runs',
            data.against.length
          )}
        </small>
      </h3>
      <ul>
        {shown.map((flag, index) => (
          <li key={index}>
            <button
              type="button"
              data-warning={flag.weight >= WARNING}
              onClick={() =>
                model.select({
                  step: flag.step,
                  tab: flag.name === null ? 'overview' : 'artifacts'
                })
              }
            >
              <Mark
                label={flag.weight >= WARNING ? trans.__('warning') : trans.__('note')}
              />
              <span>{sentence(flag.message)}</span>
            </button>
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <button type="button" className="jp-nbflow-Link" onClick={() => setAll(true)}>
          {trans.__('%1 more', rest)}
        </button>
      )}
      {data.since && <Since since={data.since} trans={trans} onOpen={props.onOpen} />}
    </section>
  );
}

/** The sign of a flag. */
export function Mark(props: { label: string }): JSX.Element {
  return (
    <svg
      className="jp-nbflow-Flags-mark"
      width="12"
      height="12"
      viewBox="0 0 12 12"
      role="img"
      aria-label={props.label}
    >
      <path d="M6 1.2 11.3 10.8H.7z" />
    </svg>
  );
}

/** What else has changed: a cause to think of first. */
function Since(props: {
  since: ISince;
  trans: TranslationBundle;
  onOpen(run: string): void;
}): JSX.Element {
  const { since, trans } = props;
  const parts = [
    since.parameters.length && trans.__('parameters %1', since.parameters.join(', ')),
    since.code.length && trans.__('code of %1', since.code.join(', ')),
    since.packages.length &&
      trans.__('packages %1', since.packages.slice(0, 5).join(', '))
  ].filter(Boolean);
  return (
    <p>
      {trans.__('Since')}{' '}
      <button
        type="button"
        className="jp-nbflow-Link"
        onClick={() => props.onOpen(since.run)}
      >
        {since.run}
      </button>{' '}
      {parts.length
        ? trans.__('changed: %1', parts.join('; '))
        : trans.__('nothing else has changed.')}
    </p>
  );
}
