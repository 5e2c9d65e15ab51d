import type { StructuralSchema } from '../schema/structural-schema.ts';
import { canonicalizeQuantity } from './quantity.ts';

/** Schemas in which quantities occur anywhere below; the rest of an object need not be walked. */
const known = new WeakMap<StructuralSchema, boolean>();

/** Brings every quantity of the object into its canonical spelling. Modifies. Throws QuantityError. */
export function canonicalizeQuantities(value: unknown, schema: StructuralSchema): unknown {
  if (schema.format === 'quantity') return typeof value === 'string' || typeof value === 'number' ? canonicalizeQuantity(value) : value;
  if (typeof value !== 'object' || value === null || !hasQuantities(schema, new Set())) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (let i = 0; i < value.length; i++) value[i] = canonicalizeQuantities(value[i], items);
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    const child = schema.properties?.get(key)?.schema ?? schema.additionalProperties;
    if (child === undefined) continue;
    const present = object[key];
    const canonical = canonicalizeQuantities(present, child);
    if (canonical !== present) object[key] = canonical;
  }
  return value;
}

function hasQuantities(schema: StructuralSchema, above: Set<StructuralSchema>): boolean {
  const found = known.get(schema);
  if (found !== undefined) return found;
  if (above.has(schema)) return false;
  above.add(schema);
  let result = schema.format === 'quantity';
  for (const { schema: child } of schema.properties?.values() ?? []) result ||= hasQuantities(child, above);
  for (const child of [schema.items, schema.additionalProperties]) if (child !== undefined) result ||= hasQuantities(child, above);
  above.delete(schema);
  // Within a cycle a negative answer may only mean "not on this side of it".
  if (result || above.size === 0) known.set(schema, result);
  return result;
}
