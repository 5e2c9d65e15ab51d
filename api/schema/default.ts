import { cloneJSON } from '../base/json-object.ts';
import { roundUpQuantity } from '../base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity } from '../base/quantity/quantity.ts';
import type { ConditionalDefault, DefaultContext } from './defaults/conditional-default.ts';
import { conditionalDefaults } from './defaults/conditional-defaults.ts';
import { definitionDefaults, getDefinitionSchema } from './definition-schema.ts';
import type { PropertySchema, StructuralSchema } from './structural-schema.ts';
import { defaultUnstructured } from './unstructured/default-unstructured.ts';

type JSONObject = Record<string, unknown>;

/** The work to be done at one struct. */
interface StructPlan {
  readonly conditional?: ConditionalDefault;
  readonly constants: readonly { readonly steps: readonly string[]; readonly value: unknown }[];
  readonly roundedUp: readonly string[];
  /** Properties below which something is to be done. */
  readonly children: readonly { readonly name: string; readonly schema: StructuralSchema }[];
}

const plans = new WeakMap<StructuralSchema, StructPlan>();
const reaching = new WeakMap<StructuralSchema, boolean>();

/**
 * Sets the defaults that the API declares: those of the schema, and for built-in definitions the rules that upstream
 * applies on reading. The object has been decoded. Modifies; fields are added behind the present ones (see orderFields).
 */
export function applyDefaults(object: JSONObject, schema: StructuralSchema, context: DefaultContext = {}): void {
  if (schema.isUnstructured) defaultUnstructured(object, schema);
  else visit(object, schema, context);
}

/** applyDefaults for a built-in definition, e.g. io.k8s.api.core.v1.Pod. */
export function defaultsFor(definition: string): (object: object, context?: DefaultContext) => void {
  const schema = getDefinitionSchema(definition);
  return (object, context) => applyDefaults(object as JSONObject, schema, context);
}

/** Every write runs this twice for each of its structs, so the loops here allocate no temporary objects. */
function visit(value: unknown, schema: StructuralSchema, context: DefaultContext): void {
  if (typeof value !== 'object' || value === null || !reachesDefaults(schema)) return;
  if (Array.isArray(value)) {
    if (schema.items) for (let index = 0; index < value.length; index++) visit(value[index], schema.items, context);
    return;
  }
  const object = value as JSONObject;
  if (!schema.properties) {
    if (schema.additionalProperties) for (const key in object) visit(object[key], schema.additionalProperties, context);
    return;
  }
  const plan = planOf(schema);
  // The plan was found by the definition of this object, so the function takes an object of this type.
  (plan.conditional as ((object: JSONObject, context: DefaultContext) => void) | undefined)?.(object, context);
  const { constants, roundedUp, children } = plan;
  for (let index = 0; index < constants.length; index++) {
    const constant = constants[index];
    if (constant) setUnset(object, schema, constant.steps, 0, constant.value);
  }
  for (let index = 0; index < roundedUp.length; index++) roundUp(object[roundedUp[index] ?? '']);
  for (let index = 0; index < children.length; index++) {
    const child = children[index];
    if (child) visit(object[child.name], child.schema, context);
  }
}

function planOf(schema: StructuralSchema): StructPlan {
  const known = plans.get(schema);
  if (known) return known;
  const own = schema.name === undefined ? { constants: [], roundedUp: [] } : definitionDefaults(schema.name);
  const conditional = conditionalDefaults.get(schema.name ?? '');
  const declared = [...(schema.properties ?? [])].filter(([, property]) => property.schema.default !== undefined);
  const plan: StructPlan = {
    ...(conditional ? { conditional } : {}),
    constants: [
      ...own.constants.map(([path, value]) => ({ steps: parsePath(path), value })),
      ...declared.map(([name, property]) => ({ steps: [name], value: property.schema.default })),
    ],
    roundedUp: own.roundedUp,
    children: [...(schema.properties ?? [])]
      .filter(([, property]) => reachesDefaults(property.schema))
      .map(([name, { schema: child }]) => ({ name, schema: child })),
  };
  plans.set(schema, plan);
  return plan;
}

/** `spec.ports[].protocol` -> spec, ports, [], protocol. */
function parsePath(path: string): string[] {
  return path.replaceAll('[]', '.[]').replaceAll('{}', '.{}').split('.');
}

/** Whether there is anything to do at or below the schema. */
function reachesDefaults(schema: StructuralSchema): boolean {
  const known = reaching.get(schema);
  if (known !== undefined) return known;
  const seen = new Set<StructuralSchema>();
  const found = search(schema, seen);
  // Nothing found: then nothing is below any of those seen either.
  if (!found) for (const visited of seen) reaching.set(visited, false);
  reaching.set(schema, found);
  return found;
}

function search(schema: StructuralSchema, seen: Set<StructuralSchema>): boolean {
  const known = reaching.get(schema);
  if (known !== undefined) return known;
  if (seen.has(schema)) return false;
  seen.add(schema);
  if (schema.name !== undefined && schema.properties) {
    const own = definitionDefaults(schema.name);
    if (own.constants.length > 0 || own.roundedUp.length > 0 || conditionalDefaults.has(schema.name)) return true;
  }
  for (const property of schema.properties?.values() ?? [])
    if (property.schema.default !== undefined || search(property.schema, seen)) return true;
  return (
    (schema.items !== undefined && search(schema.items, seen)) ||
    (schema.additionalProperties !== undefined && search(schema.additionalProperties, seen))
  );
}

/**
 * Sets the field at the end of the path if it is unset and the structs on the way are present or are not pointers. `value` is the value at
 * step number `at` of the path.
 */
function setUnset(value: unknown, schema: StructuralSchema, steps: readonly string[], at: number, constant: unknown): void {
  const step = steps[at];
  if (step === undefined || typeof value !== 'object' || value === null) return;
  if (step === '[]' || step === '{}') {
    const inner = step === '[]' ? schema.items : schema.additionalProperties;
    if (inner) for (const item of Object.values(value)) setUnset(item, inner, steps, at + 1, constant);
    return;
  }
  const object = value as JSONObject;
  const property = schema.properties?.get(step);
  if (!property) return;
  const present = object[step];
  if (at + 1 === steps.length) {
    if (isUnsetField(present, property) && !isNeverWritten(constant, property)) object[step] = cloneJSON(constant);
    return;
  }
  if ((present === undefined || present === null) && !property.pointer && property.schema.properties) object[step] = {};
  setUnset(object[step], property.schema, steps, at + 1, constant);
}

/** A default that is Go's zero value shows only where the zero value does. */
function isNeverWritten(constant: unknown, { omitEmpty, pointer }: PropertySchema): boolean {
  return omitEmpty && !pointer && (constant === '' || constant === 0 || constant === false);
}

/** Go's nil for pointers, else its zero value. */
function isUnsetField(value: unknown, property: PropertySchema): boolean {
  if (value === undefined || value === null) return true;
  if (property.pointer) return false;
  return value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

/** Only a spelling such as 1n, 1500u or 0.0001 can be finer than thousandths. */
function roundUp(quantities: unknown): void {
  if (typeof quantities !== 'object' || quantities === null) return;
  const map = quantities as Record<string, string>;
  for (const name in map) {
    const text = map[name];
    if (text !== undefined && /[nu.]|[eE]-/.test(text)) map[name] = formatQuantity(roundUpQuantity(parseQuantity(text), -3));
  }
}
