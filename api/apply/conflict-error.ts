import { applyConflict } from '../meta/status-errors.ts';
import type { StatusError } from '../meta/status.ts';
import { type FieldSet, pathsOf } from './field-set.ts';
import { formatManager, identify, type Manager } from './managers.ts';
import { formatPathElement, type PathElement } from './path-element.ts';

/** Fields of another manager that an apply would change. */
export interface Conflict {
  readonly manager: Manager;
  readonly path: readonly PathElement[];
}

export function conflictsOf(owned: readonly { readonly manager: Manager; readonly fields: FieldSet }[]): Conflict[] {
  const sorted = owned.toSorted((a, b) => (identify(a.manager) < identify(b.manager) ? -1 : 1));
  return sorted.flatMap(({ manager, fields }) => [...pathsOf(fields)].map((path) => ({ manager, path })));
}

function formatPath(path: readonly PathElement[]): string {
  return path.map(formatPathElement).join('');
}

/** The 409 of server-side apply; `conflicts` in the order of conflictsOf. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${formatManager(manager)}`,
    field: formatPath(path),
  }));
  const [only] = conflicts;
  if (only !== undefined && conflicts.length === 1) {
    const message = `Apply failed with 1 conflict: conflict with ${formatManager(only.manager)}: ${formatPath(only.path)}`;
    return applyConflict(causes, message);
  }
  const lines: string[] = [];
  let current: Manager | undefined;
  for (const { manager, path } of conflicts) {
    if (manager !== current) lines.push(`conflicts with ${formatManager(manager)}:`);
    current = manager;
    lines.push(`- ${formatPath(path)}`);
  }
  return applyConflict(causes, `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`);
}
