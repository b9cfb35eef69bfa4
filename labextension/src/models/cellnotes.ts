/** What the kernel found of a cell as it ran last: told in its reply, kept in the cell's metadata. */

import { IDiagnostic, Json } from '../wire';

/** The name of ours in a cell's metadata, and of the kernel's word in its replies. */
export const NOTES = 'nbflow';

/** A step as its kernel knows it. */
type KernelState = 'fresh' | 'stale' | 'failed' | 'skipped';

/** What the kernel told when a cell had run. */
export interface ITold {
  diagnostics: IDiagnostic[];
  steps: Map<string, KernelState>;
}

/** Our part of a reply's payload; null where nbflow is not loaded in the kernel. */
export function told(payload: unknown): ITold | null {
  const ours = Array.isArray(payload)
    ? payload.find(one => isObject(one) && one.source === NOTES)
    : undefined;
  if (!isObject(ours)) {
    return null;
  }
  const steps = isObject(ours.steps) ? Object.entries(ours.steps) : [];
  return {
    diagnostics: diagnosticsOf(ours.diagnostics),
    steps: new Map(
      steps.flatMap(([name, step]) =>
        isObject(step) ? [[name, step.state as KernelState]] : []
      )
    )
  };
}

/** What to keep of it with the cell that ran as `source`; null for nothing. */
export function toKeep(found: readonly IDiagnostic[], source: string): Json {
  return found.length
    ? {
        ran: fingerprint(source),
        diagnostics: found.map(({ code, severity, message, line, column, fix }) => ({
          code,
          severity,
          message,
          line,
          column,
          fix
        }))
      }
    : null;
}

/** What is kept with a cell; nothing where its source is another than that which ran. */
export function kept(metadata: unknown, source: string): IDiagnostic[] {
  return isObject(metadata) && metadata.ran === fingerprint(source)
    ? diagnosticsOf(metadata.diagnostics)
    : [];
}

/** A short word that another source would hardly have (FNV-1a). */
function fingerprint(source: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < source.length; at++) {
    hash = Math.imul(hash ^ source.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Findings out of a file or a message, which may have been written by anything. */
function diagnosticsOf(value: unknown): IDiagnostic[] {
  return (Array.isArray(value) ? value : []).flatMap(one =>
    isObject(one) && typeof one.code === 'string' && typeof one.message === 'string'
      ? [
          {
            code: one.code,
            severity:
              one.severity === 'error' || one.severity === 'info'
                ? one.severity
                : 'warning',
            message: one.message,
            cell: null,
            line: typeof one.line === 'number' ? one.line : null,
            column: typeof one.column === 'number' ? one.column : null,
            fix: typeof one.fix === 'string' ? one.fix : null
          }
        ]
      : []
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
