import type { BenchResource } from './bench-resource.ts';

/** The custom kinds that are worked with, and the definitions of which a server may have many. */

export const customGroup = 'bench.example.com';
export const customVersion = 'v1';
const apiVersion = `${customGroup}/${customVersion}`;

type Schema = Readonly<Record<string, unknown>>;

const string = (maxLength: number): Schema => ({ type: 'string', maxLength });
const objectOf = (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({ type: 'object', properties, ...more });

/** A CustomResourceDefinition of one version, with the schema of its spec. */
function definitionOf(names: { plural: string; kind: string }, spec: Schema, inGroup = customGroup): Readonly<Record<string, unknown>> {
  const openAPIV3Schema = objectOf({ spec, status: objectOf({ phase: string(64) }) });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${inGroup}` },
    spec: {
      group: inGroup,
      scope: 'Namespaced',
      names: { ...names, singular: names.kind.toLowerCase(), listKind: `${names.kind}List` },
      versions: [{ name: customVersion, served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } }],
    },
  };
}

interface Field {
  readonly schema: Schema;
  readonly value: unknown;
}

/** The kinds of fields that the schemas of operators consist of, in turn. */
const fields: readonly ((index: number) => Field)[] = [
  (index) => ({ schema: string(256), value: `registry.example/team/service-${index}:1.27.3` }),
  (index) => ({ schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 65_535 }, value: 8000 + index }),
  () => ({ schema: { type: 'boolean', default: false }, value: true }),
  () => ({ schema: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] }, value: 'IfNotPresent' }),
  (index) => ({ schema: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' }, value: `name-${index}` }),
  () => ({ schema: { 'x-kubernetes-int-or-string': true }, value: '25%' }),
  (index) => ({ schema: { type: 'array', maxItems: 16, items: string(64) }, value: [`--listen=:${index}`, '--verbose'] }),
  () => ({ schema: { type: 'object', additionalProperties: string(64), maxProperties: 16 }, value: { app: 'web', tier: 'front' } }),
  (index) => ({
    schema: objectOf({ name: string(63), key: string(253) }, { required: ['name'] }),
    value: { name: `secret-${index}`, key: 'token' },
  }),
  () => ({ schema: { type: 'number', minimum: 0 }, value: 0.75 }),
];

/** An object schema of so many fields, and an object that fills all of them in. */
function manyFields(count: number): Field {
  const properties: Record<string, Schema> = {};
  const value: Record<string, unknown> = {};
  for (let index = 0; index < count; index++) {
    const field = fields[index % fields.length]?.(index);
    if (!field) continue;
    properties[`field${index}`] = field.schema;
    value[`field${index}`] = field.value;
  }
  return { schema: objectOf(properties), value };
}

const knobSpec: Field = {
  schema: objectOf(
    {
      size: { type: 'integer', minimum: 0, maximum: 1000 },
      color: { type: 'string', enum: ['red', 'green', 'blue'] },
      title: string(128),
      target: objectOf({ name: string(63), port: { type: 'integer', minimum: 1, maximum: 65_535 } }, { required: ['name'] }),
    },
    { required: ['size'] },
  ),
  value: { size: 3, color: 'green', title: 'the third from the left', target: { name: 'web', port: 8080 } },
};

/** Rules as operators write them: of one field, of two, and of what does not change. */
const ruleTexts: readonly ((index: number) => string)[] = [
  (index) => `self.size <= ${900 + index}`,
  (index) => `self.title != 'forbidden-${index}'`,
  (index) => `!has(self.target) || self.target.port != ${index + 1}`,
  (index) => `self.color == 'green' || self.size > ${index}`,
];

/** The rules, of a variable that holds a spec. */
export function knobRules(count: number, variable: string): string[] {
  return Array.from({ length: count }, (_, index) => ruleTexts[index % ruleTexts.length]?.(index) ?? 'true').map((text) =>
    text.replaceAll('self.', `${variable}.`),
  );
}

const ruledSpec = (count: number): Field => ({
  schema: {
    ...knobSpec.schema,
    'x-kubernetes-validations': knobRules(count, 'self').map((rule, index) => ({ rule, message: `rule ${index} is not met` })),
  },
  value: knobSpec.value,
});

export const ruleCount = 20;
const fieldsOfForms = 200;

const customKind = (names: { plural: string; kind: string }, spec: Field): BenchResource => ({
  ...names,
  definition: definitionOf(names, spec.schema),
  collection: (namespace) => `/apis/${apiVersion}/namespaces/${namespace}/${names.plural}`,
  body: (name, labels) => JSON.stringify({ apiVersion, kind: names.kind, metadata: { name, labels }, spec: spec.value }),
});

export const customResources = {
  /** A small kind: 6 fields. */
  knobs: customKind({ plural: 'knobs', kind: 'Knob' }, knobSpec),
  /** The same with rules in its schema. */
  ruledknobs: customKind({ plural: 'ruledknobs', kind: 'RuledKnob' }, ruledSpec(ruleCount)),
  /** The same, for a policy and a webhook to look at. */
  policedknobs: customKind({ plural: 'policedknobs', kind: 'PolicedKnob' }, knobSpec),
  hookedknobs: customKind({ plural: 'hookedknobs', kind: 'HookedKnob' }, knobSpec),
  /** A large kind: all of its fields are filled in. */
  forms: customKind({ plural: 'forms', kind: 'Form' }, manyFields(fieldsOfForms)),
} as const;

const fieldsOfDefinitions = 30;
const kindsOfGroup = 10;

/** One of many definitions of 30 fields each, ten to a group. */
export function numberedDefinition(index: number): Readonly<Record<string, unknown>> {
  const inGroup = `group${Math.floor(index / kindsOfGroup)}.bench.example.com`;
  return definitionOf({ plural: `things${index}`, kind: `Thing${index}` }, manyFields(fieldsOfDefinitions).schema, inGroup);
}
