import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { toTable } from '../../resource/table.ts';
import { apiVersionOf, type ResourceDefinition, type StrategyContext } from '../../resource/resource-definition.ts';
import type { KubeObject } from '../../meta/object.ts';
import { applyDefaults } from '../../schema/default.ts';
import { schemaOf } from '../../resource/schema-of.ts';
import { formatFieldError } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';
import { validateObjectMeta } from '../../meta/object-meta.ts';

/** The hooks of a definition in the order in which the server calls them, for tests of definitions. */

export const testNowMs = 1_767_225_600_000; // 2026-01-01T00:00:00Z

export const createContext: StrategyContext = {
  nowMs: testNowMs,
  operation: 'create',
  subresource: '',
  user: { name: 'tester', groups: ['testers'] },
};
const updateContext: StrategyContext = { ...createContext, operation: 'update' };

type Loose = { metadata?: KubeObject['metadata'] } & Record<string, unknown>;

/** The object with the kind's defaults. */
export function defaulted<T extends KubeObject>(definition: ResourceDefinition<T>, object: object): T {
  const filled = structuredClone({ apiVersion: apiVersionOf(definition), kind: definition.names.kind, metadata: {}, ...object }) as Loose;
  applyDefaults(filled, schemaOf(definition), { nowMs: testNowMs });
  definition.default?.(filled as unknown as T);
  return filled as unknown as T;
}

/** The object as a create would store it, were it valid. */
export function created<T extends KubeObject>(definition: ResourceDefinition<T>, object: object): T {
  const filled = defaulted(definition, object);
  definition.prepareForCreate?.(filled, createContext);
  definition.canonicalize?.(filled);
  return filled;
}

/** The errors of a new object, one line for each. */
export function createErrors<T extends KubeObject>(definition: ResourceDefinition<T>, object: object): string[] {
  const filled = defaulted(definition, object);
  definition.prepareForCreate?.(filled, createContext);
  const metadata = { name: 'x', ...(definition.scope === 'Namespaced' ? { namespace: 'default' } : {}), ...filled.metadata };
  const errors = [
    ...validateObjectMeta(metadata, definition.scope === 'Namespaced', definition.nameRule, FieldPath.root.child('metadata')),
    ...(definition.validate?.({ ...filled, metadata } as DeepReadonly<T>, FieldPath.root, createContext) ?? []),
  ];
  return errors.map(formatFieldError);
}

/** The errors of replacing `before` by `after`, one line for each. */
export function updateErrors<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  before: object,
  after: object,
  subresource = '',
): string[] {
  const old = defaulted(definition, before) as DeepReadonly<T>;
  const fresh = defaulted(definition, after);
  const context = { ...updateContext, subresource };
  definition.prepareForUpdate?.(fresh, old, context);
  const object = fresh as DeepReadonly<T>;
  const errors =
    subresource === 'status'
      ? (definition.validateStatusUpdate?.(object, old, FieldPath.root, context) ?? [])
      : [
          ...(definition.validate?.(object, FieldPath.root, context) ?? []),
          ...(definition.validateUpdate?.(object, old, FieldPath.root, context) ?? []),
        ];
  return errors.map(formatFieldError);
}

/** The object's row as kubectl prints it: `Name=x Ready=1/1 ...`; wide columns too. */
export function row<T extends KubeObject>(definition: ResourceDefinition<T>, object: object): string {
  const table = toTable(definition, [{ metadata: {}, ...object } as DeepReadonly<T>], {}, { nowMs: testNowMs });
  const cells = table.rows[0]?.cells ?? [];
  return table.columnDefinitions.map(({ name }, index) => `${name}=${cells[index]}`).join(' ');
}
