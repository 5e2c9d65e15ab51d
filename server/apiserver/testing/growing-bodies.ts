import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';

/** How the elements of a grown list relate: all different, all the same, or without any field. */
export const elementStyles = ['distinct', 'same', 'empty'] as const;
export type ElementStyle = (typeof elementStyles)[number];

/** An object with one list or map that can be made as large as wanted. */
export interface GrowingBody {
  readonly definition: ResourceDefinition;
  /** Path of the list or map, e.g. `spec.containers[].env`. */
  readonly path: string;
  readonly style: ElementStyle;
  make(size: number): Record<string, unknown>;
}

interface Place {
  readonly steps: readonly string[];
  readonly schema: StructuralSchema;
}

const maxSteps = 8;

/**
 * Every list and map of a kind, each in every style. A list of a named struct that several places share, such as the env
 * of a container, is shown at its first place only.
 */
export function* growingBodies(definition: ResourceDefinition): Generator<GrowingBody> {
  const root = getDefinitionSchema(definition.definition);
  for (const place of collectionsBelow(root)) {
    for (const style of elementStyles) {
      if (style === 'same' && place.schema.type !== 'array') continue;
      yield {
        definition,
        path: place.steps.join('.').replaceAll('.[]', '[]'),
        style,
        make: (size) => {
          const grown = grow(place.schema, size, style);
          const content = build(root, place.steps, grown) as Record<string, Record<string, unknown>>;
          const field = place.steps[0] === 'metadata' ? (place.steps[1] ?? '') : '';
          const metadata = { name: 'grown', ...(field === '' ? {} : { [field]: content['metadata']?.[field] }) };
          return { ...content, apiVersion: apiVersionOf(definition), kind: definition.names.kind, metadata };
        },
      };
    }
  }
}

function* collectionsBelow(root: StructuralSchema): Generator<Place> {
  const seen = new Set<string>();
  const waiting: Place[] = [{ steps: [], schema: root }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { steps, schema } = next;
    if (schema.type === 'array' || schema.additionalProperties) yield next;
    if (steps.length >= maxSteps) continue;
    if (schema.items) waiting.push({ steps: [...steps, '[]'], schema: schema.items });
    if (schema.name !== undefined && seen.has(schema.name)) continue;
    if (schema.name !== undefined) seen.add(schema.name);
    for (const [name, property] of schema.properties ?? []) {
      if (property.schema.type === 'array' || property.schema.type === 'object')
        waiting.push({ steps: [...steps, name], schema: property.schema });
    }
  }
}

/** Builds the value at the end of the path, within the structs and one-element lists on the way. */
function build(schema: StructuralSchema, steps: readonly string[], inner: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return inner;
  if (step === '[]') return schema.items ? [build(schema.items, rest, inner)] : [];
  const property = schema.properties?.get(step);
  const below = property && build(property.schema, rest, inner);
  return { ...(element(schema, 0, 1) as object), [step]: below };
}

function grow(schema: StructuralSchema, size: number, style: ElementStyle): unknown {
  const items = schema.items ?? schema.additionalProperties ?? { type: 'any' };
  const at = (index: number) => (style === 'empty' ? emptyOf(items) : element(items, style === 'same' ? 0 : index, 2));
  if (schema.type === 'array') return Array.from({ length: size }, (_, index) => at(index));
  return Object.fromEntries(Array.from({ length: size }, (_, index) => [`a.b/k${index}`, at(index)]));
}

function emptyOf(schema: StructuralSchema): unknown {
  switch (schema.type) {
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return element(schema, 0, 0);
  }
}

/** A value whose texts and numbers differ from those of other indexes, with `depth` levels of structs. */
function element(schema: StructuralSchema, index: number, depth: number): unknown {
  switch (schema.format) {
    case 'quantity':
      return `${index + 1}`;
    case 'date-time':
    case 'micro-time':
      return schema.format === 'date-time' ? '2026-01-02T03:04:05Z' : '2026-01-02T03:04:05.000001Z';
    case 'byte':
      return 'AAAA';
  }
  switch (schema.type) {
    case 'string':
      return schema.enum?.[0] ?? `a${index}`;
    case 'integer':
    case 'number':
      return (index % 60_000) + 1;
    case 'boolean':
      return true;
    case 'array':
      return schema.items && depth > 0 ? [element(schema.items, index, depth - 1)] : [];
    case 'object': {
      if (depth === 0) return {};
      const object: Record<string, unknown> = {};
      for (const [name, property] of schema.properties ?? []) {
        const isScalar = property.schema.type !== 'object' && property.schema.type !== 'array';
        if (isScalar || property.required) object[name] = element(property.schema, index, depth - 1);
      }
      return object;
    }
    case 'any':
      return { x: `a${index}` };
  }
}
