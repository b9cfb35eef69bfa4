/** The form of a run's parameters: what an editor shows for each, and what was typed. */

import { IParameterField, Json } from '../wire';

export type Editor = 'check' | 'number' | 'choice' | 'text';

/** The choices of `Literal[...]`; empty for other annotations. */
export function choices(annotation: string | null): Json[] {
  const match = /^(?:typing\.)?Literal\[(.*)\]$/s.exec(annotation?.trim() ?? '');
  if (!match) {
    return [];
  }
  const parts = match[1].match(/'[^']*'|"[^"]*"|[^,\s]+/g) ?? [];
  return parts.map(part => {
    if (/^['"]/.test(part)) {
      return part.slice(1, -1);
    }
    const known: Record<string, Json> = { True: true, False: false, None: null };
    return part in known ? known[part] : Number(part);
  });
}

/** The editor that suits a parameter. */
export function editor(parameter: IParameterField): Editor {
  const type = (parameter.annotation ?? '').trim();
  if (choices(parameter.annotation).length) {
    return 'choice';
  }
  if (type === 'bool' || (!type && typeof parameter.value === 'boolean')) {
    return 'check';
  }
  if (type === 'int' || type === 'float') {
    return 'number';
  }
  if (!type && typeof parameter.value === 'number') {
    return 'number';
  }
  return 'text';
}

/** The text that a field begins with. Texts stand as they are, the rest as JSON. */
export function fieldText(json: Json): string {
  return typeof json === 'string' ? json : JSON.stringify(json);
}

/** What was typed, as a value: a text for texts, JSON for what parses, else the text itself. */
export function fieldValue(parameter: IParameterField, text: string): Json {
  const type = (parameter.annotation ?? '').trim();
  if (type === 'str' || (!type && typeof parameter.value === 'string')) {
    return text;
  }
  const trimmed = text.trim();
  if (trimmed === 'None') {
    return null;
  }
  if (trimmed === 'True' || trimmed === 'False') {
    return trimmed === 'True';
  }
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    try {
      return JSON.parse(trimmed.replace(/'/g, '"')) as Json;
    } catch {
      return text;
    }
  }
}

/** Only what differs from the defaults: the server fills in the rest. */
export function changed(
  parameters: readonly IParameterField[],
  values: Readonly<Record<string, Json>>
): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const parameter of parameters) {
    if (
      parameter.name in values &&
      JSON.stringify(values[parameter.name]) !== JSON.stringify(parameter.value)
    ) {
      out[parameter.name] = values[parameter.name];
    }
  }
  return out;
}
