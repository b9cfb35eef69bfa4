/** What a cell's source and tags say it is: the three spellings of a tag. */

export interface ICellTag {
  kind: 'step' | 'parameters' | 'setup';
  /** The step's name; empty for the others. */
  name: string;
  /** Line of the tag, from 0; 0 where the tag is in the metadata. */
  line: number;
}

const MAGIC = /^%%(step|parameters|setup)\b[ \t]*(\S*)/;
const COMMENT = /^#\s*nbflow:\s*(step|parameters|setup)\b[ \t]*(\S*)/;
const TAG = /^(?:nbflow:)?(?:step:(.+)|(parameters|setup))$/;

/** The tag of a code cell, null for the user's own analysis. */
export function cellTag(source: string, tags: readonly string[] = []): ICellTag | null {
  const lines = source.split('\n', 12);
  for (let line = 0; line < lines.length; line++) {
    const text = lines[line].trim();
    const match = MAGIC.exec(text) ?? COMMENT.exec(text);
    if (match) {
      const kind = match[1] as ICellTag['kind'];
      return kind === 'step' && !match[2]
        ? null
        : { kind, name: kind === 'step' ? match[2] : '', line };
    }
    if (text && !text.startsWith('%%') && !text.startsWith('#')) {
      break;
    }
  }
  for (const tag of tags) {
    const match = TAG.exec(tag);
    if (match) {
      return match[1]
        ? { kind: 'step', name: match[1].trim(), line: 0 }
        : { kind: match[2] as ICellTag['kind'], name: '', line: 0 };
    }
  }
  return null;
}
