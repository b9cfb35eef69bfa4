/** The form of a run's parameters: what an editor shows for each, and what was typed. */

import { IParameterField, Json } from '../wire';

export type Editor = 'check' | 'number' | 'choice' | 'text';

/** The values to choose from, where the type names them all; else empty. */
export function choices(field: IParameterField): Json[] {
  return Array.isArray(field.schema.enum) ? (field.schema.enum as Json[]) : [];
}

/** The editor that suits a parameter. */
export function editor(parameter: IParameterField): Editor {
  const type = (parameter.annotation ?? '').trim();
  if (choices(parameter).length) {
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
