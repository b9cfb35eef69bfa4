import { overwrite, plain, spans } from '../ansi';
import { cellTag } from '../cells';
import { diffLines, hunks } from '../diff';
import { age, bytes, duration, number, short } from '../format';
import { pythonLines } from '../python';
import { artifactSource, inputsSource } from '../snippets';

describe('format', () => {
  it.each([
    [0.0004, '0 ms'],
    [0.0421, '42 ms'],
    [0.31, '0.3 s'],
    [41.6, '42 s'],
    [187, '3:07'],
    [7391, '2:03:11'],
    [null, '']
  ])('duration of %p is %p', (seconds, text) => expect(duration(seconds)).toBe(text));

  it.each([
    [12, '12 B'],
    [3400, '3.4 kB'],
    [999_600, '1.0 MB'],
    [1.2e9, '1.2 GB']
  ])('size of %p is %p', (size, text) => expect(bytes(size)).toBe(text));

  it.each([
    [0.98123456, '0.98123'],
    [1797, '1,797'],
    [1.3e-9, '1.300e-9'],
    [NaN, 'NaN']
  ])('number %p is %p', (value, text) => expect(number(value)).toBe(text));

  it('tells ages in the unit that suits', () => {
    expect(age(0, 59, 'en')).toBe('59s ago');
    expect(age(0, 7300, 'en')).toBe('2h ago');
  });

  it('cuts long values', () => expect(short('x'.repeat(100), 5)).toBe('xxxx…'));
});

describe('tags of cells', () => {
  it.each([
    ['%%step train --gpu 1\nx = 1', [], { kind: 'step', name: 'train', line: 0 }],
    ['%%time\n%%step train\nx = 1', [], { kind: 'step', name: 'train', line: 1 }],
    ['# nbflow: step load\nx = 1', [], { kind: 'step', name: 'load', line: 0 }],
    ['%%parameters\na = 1', [], { kind: 'parameters', name: '', line: 0 }],
    ['x = 1', ['step:fit'], { kind: 'step', name: 'fit', line: 0 }],
    ['x = 1', ['setup'], { kind: 'setup', name: '', line: 0 }],
    ['x = 1\n%%step train', [], null],
    ['# a comment\nx = 1', ['other'], null]
  ])('%p with %p', (source, tags, tag) => expect(cellTag(source, tags)).toEqual(tag));
});

describe('differences', () => {
  it('finds what was added and removed', () =>
    expect(
      diffLines('a\nb\nc\n', 'a\nx\nc\nd\n').map(line => line.kind[0] + line.text)
    ).toEqual(['sa', 'rb', 'ax', 'sc', 'ad']));

  it('has no hunks where nothing differs', () =>
    expect(hunks(diffLines('a\nb', 'a\nb'))).toEqual([]));

  it('hides what is far from a change', () => {
    const left = Array.from({ length: 30 }, (_, at) => `line ${at}`);
    const right = left.with(20, 'changed');
    const found = hunks(diffLines(left.join('\n'), right.join('\n')), 2);
    expect(found).toHaveLength(1);
    expect(found[0].hidden).toBe(18);
    expect(found[0].lines).toHaveLength(6);
  });
});

describe('terminal text', () => {
  it('lets a carriage return overwrite', () =>
    expect(overwrite('10%\r100%\rdo')).toBe('do0%'));

  it('colours spans', () =>
    expect(spans('a\x1b[31;1mb\x1b[0mc')).toEqual([
      { text: 'a', classes: '' },
      { text: 'b', classes: 'ansi-red-fg ansi-bold' },
      { text: 'c', classes: '' }
    ]));

  it('is searched without escapes', () => expect(plain('\x1b[32mok\x1b[0m')).toBe('ok'));
});

describe('Python in colours', () => {
  it('keeps every character', () => {
    const text =
      '%%step a\ndef f(x):\n    """Doc\n    string."""\n    return f"{x}" + \'1\' # end\n';
    expect(
      pythonLines(text)
        .map(line => line.map(token => token.text).join(''))
        .join('\n')
    ).toBe(text);
  });

  it('knows strings of several lines', () =>
    expect(pythonLines('"""a\nin b"""')[1]).toEqual([
      { text: 'in b"""', kind: 'string' }
    ]));
});

describe('cells that load', () => {
  it('an artifact of a step, and of a task', () => {
    expect(artifactSource('churn/4/load/df', 'df')).toContain(
      'nbflow.Run("churn/4")["load"].df'
    );
    expect(artifactSource('churn/4/train/3.1/model', 'model')).toContain(
      '.task("3.1").model'
    );
  });

  it('the inputs of a task', () =>
    expect(inputsSource('churn/4', 'train', '3')).toContain(
      '%nbflow load churn/4/train/3'
    ));
});
