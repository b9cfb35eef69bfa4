/** Python in colours: tokens good enough to read by, with the classes of CodeMirror's themes. */

export interface IToken {
  text: string;
  kind: '' | 'comment' | 'string' | 'number' | 'keyword' | 'def' | 'meta' | 'builtin';
}

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except ' +
    'finally for from global if import in is lambda nonlocal not or pass raise return try ' +
    'while with yield match case'
  ).split(' ')
);
const BUILTINS = new Set(
  (
    'abs all any bool bytes dict display enumerate filter float frozenset getattr int isinstance ' +
    'iter len list map max min next object open print range repr reversed round set setattr ' +
    'show sorted str sum super tuple type zip'
  ).split(' ')
);
const TOKEN =
  /(#.*)|([rRbBfFuU]{0,2}(?:"""[^]*?(?:"""|(?![^]))|'''[^]*?(?:'''|(?![^]))|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(\b\d[\w.]*\b)|(^%{1,2}\w+.*|^\s*!.*|^\s*@[\w.]+)|([A-Za-z_]\w*)|(\s+|.)/gm;

/** The tokens of each line. */
export function pythonLines(text: string): IToken[][] {
  const lines: IToken[][] = [[]];
  let before = '';
  const push = (part: string, kind: IToken['kind']) => {
    part.split('\n').forEach((piece, index) => {
      if (index) {
        lines.push([]);
      }
      if (piece) {
        lines.at(-1)!.push({ text: piece, kind });
      }
    });
  };
  for (const match of text.matchAll(TOKEN)) {
    const [whole, comment, string, number, meta, name] = match;
    if (comment !== undefined) {
      push(whole, /^#\s*nbflow:/.test(comment) ? 'meta' : 'comment');
    } else if (string !== undefined) {
      push(whole, 'string');
    } else if (number !== undefined) {
      push(whole, 'number');
    } else if (meta !== undefined) {
      push(whole, 'meta');
    } else if (name !== undefined) {
      const kind = KEYWORDS.has(name)
        ? 'keyword'
        : before === 'def' || before === 'class'
          ? 'def'
          : BUILTINS.has(name)
            ? 'builtin'
            : '';
      push(whole, kind);
      before = name;
    } else {
      push(whole, '');
      if (whole.trim()) {
        before = '';
      }
    }
  }
  return lines;
}
