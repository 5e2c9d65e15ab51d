import { type DefinitionFact, type FieldFact, type Facts, fullNameOf, getDefinition, type GroupFacts, type ShapeFact } from './facts.ts';
import type { Texts } from './texts.ts';

/** A schema object of either version of OpenAPI, with Kubernetes' extensions. */
export type SchemaObject = Readonly<Record<string, unknown>>;

type SpecVersion = 'v2' | 'v3';

interface Target {
  readonly facts: Facts;
  readonly texts: Texts;
  readonly spec: SpecVersion;
}

const specials: Readonly<Record<SpecVersion, Readonly<Record<string, SchemaObject>>>> = {
  v2: {
    'int-or-string': { type: 'string', format: 'int-or-string' },
    quantity: { type: 'string' },
    'date-time': { type: 'string', format: 'date-time' },
    'micro-time': { type: 'string', format: 'date-time' },
    duration: { type: 'string' },
    'fields-v1': { type: 'object' },
    'raw-extension': { type: 'object' },
  },
  v3: {
    'int-or-string': { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
    quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
    'date-time': { type: 'string', format: 'date-time' },
    'micro-time': { type: 'string', format: 'date-time' },
    duration: { type: 'string' },
    'fields-v1': { type: 'object' },
    'raw-extension': { type: 'object' },
  },
};

export function referenceTo(spec: SpecVersion, fullName: string): SchemaObject {
  return { $ref: `${spec === 'v2' ? '#/definitions/' : '#/components/schemas/'}${fullName}` };
}

/** Go's zero value where it is written down as a default: of scalars that are no pointers and of structs. */
function zeroDefault(target: Target, file: GroupFacts, shape: ShapeFact): unknown {
  if (shape.ref !== undefined) {
    const { fact } = getDefinition(target.facts, fullNameOf(file, shape.ref));
    return fact.format === undefined ? {} : undefined;
  }
  if (shape.format === 'byte') return undefined;
  return { string: '', integer: 0, number: 0, boolean: false, array: undefined, map: undefined, object: undefined }[shape.type ?? 'array'];
}

/** Reference with siblings: version 3 wraps it, since a plain $ref hides them. */
function decorate(target: Target, schema: SchemaObject, more: SchemaObject): SchemaObject {
  const isReference = '$ref' in schema;
  if (Object.keys(more).length === 0) return schema;
  return target.spec === 'v3' && isReference ? { allOf: [schema], ...more } : { ...schema, ...more };
}

function shapeSchema(target: Target, file: GroupFacts, shape: ShapeFact): SchemaObject {
  if (shape.ref !== undefined) return referenceTo(target.spec, fullNameOf(file, shape.ref));
  const inner = (of: ShapeFact): SchemaObject => {
    const zero = target.spec === 'v3' ? zeroDefault(target, file, of) : undefined;
    return decorate(target, shapeSchema(target, file, of), zero === undefined ? {} : { default: zero });
  };
  if (shape.type === 'array') return { type: 'array', items: inner(shape.items ?? {}) };
  if (shape.type === 'map') return { type: 'object', additionalProperties: inner(shape.values ?? {}) };
  return { type: shape.type, ...(shape.format === undefined ? {} : { format: shape.format }) };
}

function fieldSchema(target: Target, file: GroupFacts, field: FieldFact, text: string | undefined): SchemaObject {
  const more: Record<string, unknown> = {};
  const values = field.type === 'array' || field.type === 'map' ? undefined : field.enum;
  const possible = values ? `\n\nPossible enum values:\n${values.map((value) => ` - \`${JSON.stringify(value)}\``).join('\n')}` : '';
  if (text !== undefined || values) more['description'] = `${text ?? ''}${possible}`.trim();
  if (values) more['enum'] = values;
  if (target.spec === 'v3') {
    const isZeroed = field.pointer !== true && (field.ref !== undefined || field.omitEmpty !== true);
    const value = field.default ?? (isZeroed ? zeroDefault(target, file, field) : undefined);
    if (value !== undefined) more['default'] = value;
  }
  if (field.listMapKeys !== undefined) more['x-kubernetes-list-map-keys'] = field.listMapKeys;
  if (field.listType !== undefined) more['x-kubernetes-list-type'] = field.listType;
  if (field.mapType !== undefined) more['x-kubernetes-map-type'] = field.mapType;
  if (field.patchMergeKey !== undefined) more['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  if (field.patchStrategy !== undefined) more['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',');
  return decorate(target, withInnerEnum(shapeSchema(target, file, field), field), more);
}

/** The values of a list or map of an enum stand at its elements. */
function withInnerEnum(schema: SchemaObject, { type, enum: values }: FieldFact): SchemaObject {
  const inner = type === 'array' ? 'items' : type === 'map' ? 'additionalProperties' : undefined;
  if (values === undefined || inner === undefined) return schema;
  return { ...schema, [inner]: { ...(schema[inner] as SchemaObject), enum: values } };
}

/** The kinds that a definition stands for: its own, or for options the same name under every group and version. */
function kindsOf(facts: Facts, file: GroupFacts, name: string, fact: DefinitionFact): SchemaObject[] {
  const of = (groupVersion: string) => {
    const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
    return { group, kind: name, version };
  };
  if (fact.everyGroup === true) return facts.registeredGroupVersions.map(of);
  if (fact.kind !== true) return [];
  return [fact.groupVersion === undefined ? { group: file.group ?? '', kind: name, version: file.version ?? '' } : of(fact.groupVersion)];
}

/** Schema of a definition as upstream publishes it. */
export function definitionSchema(facts: Facts, texts: Texts, spec: SpecVersion, fullName: string): SchemaObject {
  const target: Target = { facts, texts, spec };
  const found = getDefinition(facts, fullName);
  const file = facts.files.find((candidate) => candidate.file === found.file);
  if (!file) throw new Error(`openapi/facts: no file ${found.file}`);
  const { fact } = found;
  const text = texts.find(fullName);
  const description = text?.description === undefined ? {} : { description: text.description };
  if (fact.format !== undefined) return { ...description, ...specials[spec][fact.format] };
  const fields = Object.entries(fact.fields ?? {});
  const required = fact.requiredOrder ?? fields.filter(([, field]) => field.required === true).map(([name]) => name);
  const kinds = kindsOf(facts, file, found.shortName, fact);
  const textOf = (name: string, field: FieldFact) => {
    if (field.undocumented === true) return undefined;
    return text?.fields.get(name) ?? (field.ref === undefined ? undefined : texts.find(fullNameOf(file, field.ref))?.description);
  };
  return {
    ...description,
    type: 'object',
    ...(fields.length > 0
      ? { properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(target, file, field, textOf(name, field))])) }
      : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}),
    ...(fact.mapType === undefined ? {} : { 'x-kubernetes-map-type': fact.mapType }),
    ...(fact.unions === undefined ? {} : { 'x-kubernetes-unions': fact.unions }),
  };
}

/** The definitions that these reach, themselves included, sorted. */
export function reachableDefinitions(facts: Facts, from: Iterable<string>): string[] {
  const seen = new Set<string>();
  const todo = [...from];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const found = getDefinition(facts, name);
    const file = facts.files.find((candidate) => candidate.file === found.file);
    if (!file) throw new Error(`openapi/facts: no file ${found.file}`);
    const follow = (shape: ShapeFact | undefined): void => {
      if (!shape) return;
      if (shape.ref !== undefined) todo.push(fullNameOf(file, shape.ref));
      follow(shape.items);
      follow(shape.values);
    };
    for (const field of Object.values(found.fact.fields ?? {})) follow(field);
    if (found.fact.format?.startsWith('json-schema') === true) todo.push(fullNameOf(file, 'JSONSchemaProps'));
  }
  return [...seen].sort();
}
