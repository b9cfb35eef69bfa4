/** Times, sizes and values as short text. */

import { Json } from '../wire';

/** `0.3 s`, `42 s`, `3:07`, `2:03:11`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !isFinite(seconds)) {
    return '';
  }
  if (seconds < 0.0995) {
    return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const rest = `${Math.floor((whole % 3600) / 60)}`;
  return hours
    ? `${hours}:${two(Number(rest))}:${two(whole % 60)}`
    : `${rest}:${two(whole % 60)}`;
}

const AGES: [number, number, Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86400, 3600, 'hour'],
  [86400 * 30, 86400, 'day'],
  [86400 * 365, 86400 * 30, 'month'],
  [Infinity, 86400 * 365, 'year']
];

/** `5m ago`, in the browser's language. */
export function age(time: number, now: number, language?: string): string {
  const seconds = Math.max(0, now - time);
  const [, unit, name] = AGES.find(([limit]) => seconds < limit)!;
  const format = new Intl.RelativeTimeFormat(language, {
    numeric: 'auto',
    style: 'narrow'
  });
  return format.format(-Math.floor(seconds / unit), name);
}

/** A date and a time of the day, in the browser's language. */
export function moment(time: number | null): string {
  return time === null
    ? ''
    : new Date(time * 1000).toLocaleString(undefined, {
        dateStyle: 'medium',
        timeStyle: 'medium'
      });
}

/** `12 B`, `3.4 kB`, `1.2 GB`. */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A number with as many digits as help: `0.9812`, `1,797`, `1.3e-9`. */
export function number(value: number): string {
  if (!isFinite(value)) {
    return String(value);
  }
  if (Number.isInteger(value)) {
    return Math.abs(value) < 1e15 ? value.toLocaleString('en') : value.toExponential(3);
  }
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4
    ? value.toExponential(3)
    : String(Number(value.toPrecision(5)));
}

/** Any JSON value on one line. */
export function value(json: Json | undefined): string {
  if (json === undefined) {
    return '';
  }
  if (typeof json === 'number') {
    return number(json);
  }
  return typeof json === 'string' ? json : JSON.stringify(json);
}

/** The text, cut to so many characters. */
export function cut(text: string, limit: number): string {
  return text.length > limit ? text.slice(0, limit - 1) + '…' : text;
}

/** A short form for lists: the first 60 characters. */
export function short(json: Json | undefined, limit = 60): string {
  return cut(value(json), limit);
}
