/** Terminal text: colours as spans, and lines that a carriage return wrote over. */

export interface ISpan {
  text: string;
  /** Classes that JupyterLab's themes have: `ansi-red-fg`, `ansi-bold`. */
  classes: string;
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// eslint-disable-next-line no-control-regex
const ESCAPE = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g;

/** What a terminal would show of a line in the end: the text after each return overwrites. */
export function overwrite(line: string): string {
  if (!line.includes('\r')) {
    return line;
  }
  let shown = '';
  for (const part of line.split('\r')) {
    shown = part + shown.slice(part.length);
  }
  return shown;
}

/** A text without its escape sequences: what is searched. */
export function plain(text: string): string {
  return text.replace(ESCAPE, '');
}

/** A line as coloured spans. */
export function spans(line: string): ISpan[] {
  if (!line.includes('\x1b')) {
    return [{ text: line, classes: '' }];
  }
  const out: ISpan[] = [];
  let foreground = '';
  let bold = false;
  let at = 0;
  const push = (text: string) => {
    if (text) {
      out.push({
        text,
        classes: [foreground, bold ? 'ansi-bold' : ''].filter(Boolean).join(' ')
      });
    }
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(line.slice(at, match.index));
    at = match.index! + match[0].length;
    if (match[1] === undefined) {
      continue;
    }
    for (const code of (match[1] || '0').split(';').map(Number)) {
      if (code === 0) {
        foreground = '';
        bold = false;
      } else if (code === 1) {
        bold = true;
      } else if (code === 22) {
        bold = false;
      } else if (code === 39) {
        foreground = '';
      } else if (code >= 30 && code <= 37) {
        foreground = `ansi-${COLOURS[code - 30]}-fg`;
      } else if (code >= 90 && code <= 97) {
        foreground = `ansi-${COLOURS[code - 90]}-intense-fg`;
      }
    }
  }
  push(line.slice(at));
  return out;
}
