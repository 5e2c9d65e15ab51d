import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A custom kind that is made to take long, and an object of it; both grow with a size. */
export interface HostileKind {
  readonly feature: string;
  readonly size: number;
  readonly definition: Readonly<Record<string, unknown>>;
  /** The field `spec` of its objects. */
  readonly spec: unknown;
}

interface Shape {
  readonly schema: Schema;
  readonly value: unknown;
  /** Further fields of the version. */
  readonly version?: Readonly<Record<string, unknown>>;
  readonly versions?: number;
}

const string = { type: 'string' };
const integer = { type: 'integer' };
const objectOf = (properties: Schema): Schema => ({ type: 'object', properties });
const listOf = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const named = <T>(count: number, make: (index: number) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(times(count, (index) => [`f${index}`, make(index)]));
const rules = (count: number, rule: (index: number) => string) => times(count, (index) => ({ rule: rule(index) }));
const text = (length: number) => 'a'.repeat(length);
const atMost = (size: number, most: number) => Math.min(size, most);

function nested(depth: number): { readonly schema: Schema; readonly value: unknown } {
  let schema: Schema = string;
  let value: unknown = 'x';
  for (let level = 0; level < depth; level++) [schema, value] = [objectOf({ a: schema }), { a: value }];
  return { schema, value };
}

/** Everything in a definition that may cost much with its length, its depth or its product with the length of an object. */
const features: Readonly<Record<string, (size: number) => Shape>> = {
  properties: (size) => ({ schema: objectOf(named(size, () => string)), value: named(size, () => 'x') }),
  'unknown fields': (size) => ({ schema: objectOf({}), value: named(size, () => ({ a: [1, 2, 3] })) }),
  'preserved fields': (size) => ({
    schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    value: named(size, () => ({ a: [1, 2, 3] })),
  }),
  depth: (size) => nested(atMost(size, 400)),
  alternatives: (size) => ({
    schema: listOf({ ...integer, anyOf: times(size, (index) => ({ minimum: index, maximum: index })) }),
    value: times(atMost(size, 2000), (index) => index),
  }),
  'refused alternatives': (size) => ({
    schema: listOf({ ...string, oneOf: times(size, (index) => ({ pattern: `^b{${index}}$` })) }),
    value: times(atMost(size, 300), () => text(100)),
  }),
  enumeration: (size) => ({
    schema: listOf({ ...string, enum: times(size, (index) => `v${index}`) }),
    value: times(atMost(size, 3000), (index) => `v${index}`),
  }),
  patterns: (size) => ({
    schema: listOf({ ...string, pattern: `^(a{0,${atMost(size, 100)}}){0,9}[g-z]?$` }),
    value: times(atMost(size, 500), () => text(30)),
  }),
  'long patterns': (size) => ({
    schema: objectOf({ l: { ...string, pattern: `^(${times(size, (index) => `a${index}`).join('|')})*$` } }),
    value: { l: text(size) },
  }),
  'nested quantifiers': (size) => ({
    schema: objectOf({ l: { ...string, pattern: '^((a+)+)+$' } }),
    value: { l: `${text(size * 10)}!` },
  }),
  defaults: (size) => ({
    schema: listOf({ type: 'object', properties: { a: { ...string, default: text(atMost(size, 1000)) } } }),
    value: times(atMost(size, 500), () => ({})),
  }),
  'required fields': (size) => ({
    schema: { ...objectOf(named(size, () => string)), required: Object.keys(named(size, () => 0)) },
    value: {},
  }),
  'wrong types': (size) => ({ schema: listOf(integer), value: times(size, () => 'x') }),
  sets: (size) => ({ schema: listOf(string, { 'x-kubernetes-list-type': 'set' }), value: times(size, (index) => `v${index % 500}`) }),
  'keys of lists': (size) => ({
    schema: listOf(
      { ...objectOf(named(9, () => string)), required: Object.keys(named(9, () => 0)) },
      { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': Object.keys(named(9, () => 0)) },
    ),
    value: times(size, (index) => named(9, () => `v${index}`)),
  }),
  'embedded objects': (size) => ({
    schema: listOf({ type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }),
    value: times(size, (index) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${index}`, labels: { a: 'b' } } })),
  }),
  rules: (size) => ({
    schema: { ...objectOf({ a: integer }), 'x-kubernetes-validations': rules(atMost(size, 400), (index) => `self.a != ${index + 10}`) },
    value: { a: 1 },
  }),
  'rules of items': (size) => ({
    schema: listOf(
      { ...string, maxLength: 10, 'x-kubernetes-validations': rules(3, (index) => `self.size() > ${index}`) },
      { maxItems: 5000 },
    ),
    value: times(atMost(size, 5000), () => 'abcd'),
  }),
  'nested rules': (size) => ({
    schema: {
      ...listOf({ ...string, maxLength: 10 }, { maxItems: 60 }),
      'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, self.exists(c, c == a || c == b)))' }],
    },
    value: times(atMost(size, 60), (index) => `v${index}`),
  }),
  'transition rules': (size) => ({
    schema: {
      ...listOf({ ...string, maxLength: 20 }, { maxItems: 1000 }),
      'x-kubernetes-validations': [{ rule: 'self.size() >= oldSelf.size()' }],
    },
    value: times(atMost(size, 1000), (index) => `v${index}`),
  }),
  'long rules': (size) => ({
    schema: {
      ...objectOf({ a: integer }),
      'x-kubernetes-validations': rules(1, () => times(size, (index) => `self.a != ${index + 9}`).join(' && ')),
    },
    value: { a: 1 },
  }),
  'rules in brackets': (size) => ({
    schema: {
      ...objectOf({ a: integer }),
      'x-kubernetes-validations': rules(1, () => `${'('.repeat(size)}self.a == 1${')'.repeat(size)}`),
    },
    value: { a: 1 },
  }),
  descriptions: (size) => ({ schema: objectOf(named(20, () => ({ ...string, description: text(size * 4) }))), value: { f1: 'x' } }),
  columns: (size) => ({
    schema: objectOf(named(size, () => string)),
    value: named(size, () => 'x'),
    version: { additionalPrinterColumns: times(size, (index) => ({ name: `c${index}`, type: 'string', jsonPath: `.spec.f${index}` })) },
  }),
  'paths of columns': (size) => ({
    schema: objectOf({ l: listOf(objectOf({ n: string })) }),
    value: { l: times(size, (index) => ({ n: `v${index}` })) },
    version: { additionalPrinterColumns: times(20, (index) => ({ name: `c${index}`, type: 'string', jsonPath: '.spec..n' })) },
  }),
  versions: (size) => ({ schema: objectOf(named(20, () => string)), value: { f1: 'x' }, versions: atMost(size, 100) }),
};

/** Kinds whose names begin so need no approval. */
export const hostileGroup = 'hostile.example.com';

export function drawHostileKind(random: Random, index: number, largest: number): HostileKind {
  const feature = oneOf(random, Object.keys(features));
  const size = 2 ** (2 + randomInt(random, Math.log2(largest) - 1));
  return hostileKind(feature, size, index);
}

function hostileKind(feature: string, size: number, index: number): HostileKind {
  const { schema, value, version = {}, versions = 1 } = features[feature]?.(size) ?? { schema: {}, value: {} };
  const plural = `kinds${index}`;
  const names = { plural, kind: `Kind${index}` };
  const openAPIV3Schema = objectOf({ spec: schema });
  return {
    feature,
    size,
    spec: value,
    definition: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${hostileGroup}` },
      spec: {
        ...{ group: hostileGroup, scope: 'Namespaced', names },
        versions: times(versions, (number) => ({
          ...{ name: `v${number + 1}`, served: true, storage: number === 0, schema: { openAPIV3Schema } },
          ...version,
        })),
      },
    },
  };
}
