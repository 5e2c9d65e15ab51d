import { getDefinitionSchema } from '../schema/definition-schema.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** The schema of a kind's objects: that of its CustomResourceDefinition, or the built-in one by its OpenAPI name. */
export function schemaOf({ schema, definition }: Pick<ResourceDefinition, 'schema' | 'definition'>): StructuralSchema {
  return schema ?? getDefinitionSchema(definition);
}
