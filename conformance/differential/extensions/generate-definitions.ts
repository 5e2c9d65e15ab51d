import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { addBounds, addRules } from '../custom-resources/generate-rules.ts';
import { addDefaults, generateObject, type Next, pick } from '../custom-resources/generate-schemas.ts';
import { partsOf, schemaChanges } from '../custom-resources/schema-changes.ts';

/** A definition as loose JSON: what is generated may be wrong in its types, too. */
interface LooseVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema: JSONSchemaProps };
  [key: string]: unknown;
}

export interface LooseDefinition {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [key: string]: unknown };
  spec: { group: string; scope: string; names: Record<string, unknown>; versions: LooseVersion[]; [key: string]: unknown };
  status?: unknown;
}

export const group = 'differential.example.com';

/** A definition of one version whose names end in `suffix`. */
export function definitionNamed(suffix: string, openAPIV3Schema: JSONSchemaProps): LooseDefinition {
  const names = { plural: `things${suffix}`, singular: `thing${suffix}`, kind: `Thing${suffix}`, listKind: `Thing${suffix}List` };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}` },
    spec: { group, scope: 'Namespaced', names, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }] },
  };
}

type Change = (definition: LooseDefinition, next: Next) => void;

const onVersion =
  (change: (version: LooseVersion, next: Next) => void): Change =>
  ({ spec }, next) => {
    const version = spec.versions[Math.floor(next() * spec.versions.length)];
    if (version) change(version, next);
  };

const longText = 'x'.repeat(260);
const labels = ['', 'a', 'Things', 'a b', 'a_b', '-a', 'x'.repeat(64), 'things', 'a.b', 'é'];

const nameChanges: readonly Change[] = [
  ({ metadata }, next) => (metadata.name = pick(next, ['things', 'x.example.com', 'Things.differential.example.com', ''])),
  ({ spec }, next) => (spec.group = pick(next, ['', 'Bad_Group', 'single', 'a..b', 'x'.repeat(300), 'other.example.com'])),
  ({ metadata, spec }, next) => {
    spec.group = pick(next, ['x.k8s.io', 'x.kubernetes.io', 'k8s.io', 'kubernetes.io', 'xk8s.io']);
    metadata.name = `${String(spec.names['plural'])}.${spec.group}`;
    const approval = pick(next, [
      undefined,
      '',
      'unapproved, experimental',
      'https://github.com/kubernetes/kubernetes/pull/1',
      'ftp://a',
      'x',
    ]);
    if (approval !== undefined) metadata['annotations'] = { 'api-approved.kubernetes.io': approval };
  },
  ({ spec }, next) => (spec.names[pick(next, ['plural', 'singular'])] = pick(next, labels)),
  ({ spec }, next) =>
    (spec.names[pick(next, ['kind', 'listKind'])] = pick(next, ['', 'thing', 'Thing', 'A B', 'A_b', '9A', 'x'.repeat(64)])),
  ({ spec }) => (spec.names['listKind'] = spec.names['kind']),
  ({ spec }) => (spec.names['singular'] = spec.names['plural']),
  ({ spec }, next) => (spec.names['shortNames'] = [pick(next, labels), pick(next, labels)]),
  ({ spec }, next) => (spec.names['categories'] = [pick(next, labels), pick(next, ['all', ...labels])]),
  ({ spec }, next) => delete spec.names[pick(next, ['plural', 'singular', 'kind', 'listKind'])],
  ({ spec }, next) => (spec.scope = pick(next, ['Cluster', 'Foo', '', 'namespaced'])),
  ({ metadata }, next) => (metadata['labels'] = { [pick(next, ['a', 'a b', ''])]: pick(next, ['x', 'x y', longText]) }),
  ({ metadata }, next) => (metadata['finalizers'] = [pick(next, ['a', 'a.b/c', 'customresourcecleanup.apiextensions.k8s.io', ''])]),
];

const versionChanges: readonly Change[] = [
  ({ spec }) => (spec.versions = []),
  ({ spec }) => spec.versions.push({ name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } }),
  ({ spec }) => spec.versions.push({ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }),
  ({ spec }) => spec.versions.push({ name: 'v1', served: false, storage: false, schema: { openAPIV3Schema: { type: 'object' } } }),
  ({ spec }) => spec.versions.push({ name: 'v1beta1', served: false, storage: false }),
  onVersion((version) => (version.storage = false)),
  onVersion((version) => (version.served = false)),
  onVersion((version, next) => (version.name = pick(next, ['V1', '', 'v1.0', 'a_b', '1', 'x'.repeat(64), 'v1-', 'foo']))),
  onVersion((version) => delete version.schema),
  onVersion((version) => (version.schema = {} as { openAPIV3Schema: JSONSchemaProps })),
  onVersion((version, next) => {
    version['deprecated'] = next() < 0.7;
    version['deprecationWarning'] = pick(next, ['old', '', longText, 'a\nb', ' a ', 'é', 'a\u0000b']);
  }),
  onVersion((version) => (version['subresources'] = { status: {} })),
  onVersion((version, next) => {
    const paths = [
      '.spec.replicas',
      '.spec.a.b',
      '.status.replicas',
      'spec.replicas',
      '',
      '.metadata.x',
      '.spec',
      '.spec[0]',
      '.spec.a-b',
      '.status.x[0].y',
    ];
    const scale = { specReplicasPath: pick(next, paths), statusReplicasPath: pick(next, paths) };
    version['subresources'] = { status: {}, scale: { ...scale, ...(next() < 0.5 ? { labelSelectorPath: pick(next, paths) } : {}) } };
  }),
  onVersion((version, next) => {
    const column = () => ({
      name: pick(next, ['', 'A', 'Name', 'a b']),
      type: pick(next, ['string', 'integer', 'number', 'boolean', 'date', 'text', '']),
      jsonPath: pick(next, [
        '.spec',
        '.spec.a',
        'spec',
        '',
        '.spec[',
        '.spec[0]',
        '.spec[?(@.a=="b")].c',
        '{.spec}',
        '.spec.a b',
        '.metadata.name',
        '..',
        '.spec[*]',
        '.a\\.b',
      ]),
      ...(next() < 0.4
        ? { format: pick(next, ['int32', 'int64', 'float', 'double', 'byte', 'date', 'date-time', 'password', 'x', '']) }
        : {}),
      ...(next() < 0.3 ? { priority: pick(next, [0, 1, -1, 2 ** 31 - 1]) } : {}),
      ...(next() < 0.2 ? { description: 'd' } : {}),
    });
    version['additionalPrinterColumns'] = Array.from({ length: 1 + Math.floor(next() * 3) }, column);
  }),
  onVersion((version, next) => {
    const paths = [
      '.spec.a',
      '.spec.b',
      '.spec.a.b',
      '.spec.c',
      'spec',
      '.metadata.name',
      '.spec[0]',
      '.spec.a[0]',
      '',
      '.kind',
      '.spec.a.b.c',
      '.x-y',
      '.spec.a.',
      '..a',
    ];
    version['selectableFields'] = Array.from({ length: pick(next, [1, 1, 2, 2, 3, 9]) }, () => ({ jsonPath: pick(next, paths) }));
  }),
];

const addresses = [
  'https://a.example.com',
  'https://a.example.com/x',
  'http://a',
  'https://',
  '',
  ':',
  'https://a?b=c',
  'https://a#b',
  'https://u:p@a',
  'ftp://a',
  'https://a:99999',
  'https://[::1]:1/',
];

/** Where a webhook is called, well or badly formed. */
export function generateClientConfig(next: Next): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  if (next() < 0.55) config['url'] = pick(next, addresses);
  if (next() < 0.5)
    config['service'] = {
      name: pick(next, ['a', '', 'A_b', 'a.b', 'x'.repeat(64)]),
      namespace: pick(next, ['a', 'b', '', 'A', 'a.b']),
      ...(next() < 0.5 ? { path: pick(next, ['/', '/x', 'x', '//', '/a//b', '/a b', '', '/a/', '/%zz', '/.', '/A_b', '/a?b']) } : {}),
      ...(next() < 0.5 ? { port: pick(next, [443, 0, -1, 65536, 65535, 1]) } : {}),
    };
  if (next() < 0.3)
    config['caBundle'] = pick(next, [
      '',
      'eA==',
      'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmFiYwotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==',
      'Cg==',
    ]);
  return config;
}

const reviewVersions = [['v1'], ['v1', 'v1beta1'], ['v2'], ['v2', 'v1'], [], ['v1', 'v1'], [''], ['V_1'], ['v1beta1'], ['V_1', 'v1']];

const conversionChanges: readonly Change[] = [
  ({ spec }, next) => (spec['conversion'] = { strategy: pick(next, ['None', 'Foo', '', 'Webhook']) }),
  ({ spec }, next) =>
    (spec['conversion'] = { strategy: 'None', webhook: { clientConfig: generateClientConfig(next), conversionReviewVersions: ['v1'] } }),
  ({ spec }, next) => {
    const webhook: Record<string, unknown> = { conversionReviewVersions: pick(next, reviewVersions) };
    if (next() < 0.9) webhook['clientConfig'] = generateClientConfig(next);
    spec['conversion'] = { strategy: 'Webhook', webhook };
  },
  ({ spec }, next) => (spec['preserveUnknownFields'] = next() < 0.7),
  (definition, next) =>
    (definition.status = { acceptedNames: { plural: 'x', kind: 'X' }, storedVersions: pick(next, [['v1'], ['v0'], []]), conditions: [] }),
];

const wrongTypes: readonly Change[] = [
  ({ spec }) => (spec['unknown'] = 1),
  ({ spec }) => (spec.versions = {} as LooseVersion[]),
  ({ spec }) => (spec.names['shortNames'] = 'x'),
  onVersion((version) => (version['served'] = 'true' as unknown as boolean)),
  onVersion(
    (version) =>
      (version['schema'] = { openAPIV3Schema: { type: 'object', minLength: 'x' } } as unknown as { openAPIV3Schema: JSONSchemaProps }),
  ),
  onVersion(
    (version) => (version['schema'] = { openAPIV3Schema: { type: 'object', foo: 1 } } as unknown as { openAPIV3Schema: JSONSchemaProps }),
  ),
  onVersion((version) => delete (version as Partial<LooseVersion>).served),
  onVersion((version) => delete (version as Partial<LooseVersion>).storage),
];

const deepDefaults: readonly unknown[] = [
  {},
  { a: {} },
  { a: 1, b: 'x', c: [], d: {} },
  { unknown: 1 },
  [{}],
  [{ name: 'a' }, { name: 'a' }],
  [1, 1],
  null,
  5,
  'x',
];

const moreSchemaChanges: readonly ((schema: JSONSchemaProps, next: Next) => void)[] = [
  (schema, next) => (schema.default = pick(next, deepDefaults)),
  (schema, next) => (schema.format = pick(next, ['int32', 'date', 'nope', 'ipv4', 'byte', 'quantity', 'k8s-short-name'])),
  (schema, next) =>
    Object.assign(
      schema,
      pick(next, [
        { minLength: -1 },
        { maxLength: 1.5 },
        { minimum: 2, maximum: 1 },
        { multipleOf: 0 },
        { maxItems: -1 },
        { minProperties: 5, maxProperties: 2 },
      ]),
    ),
  (schema, next) => (schema.enum = pick(next, [[], [1, 'a', null], ['a', 'a'], [{}], [[1]]])),
  (schema, next) => (schema.required = pick(next, [['a'], ['nope'], ['a', 'a'], [], ['']])),
  (schema, next) => (schema.pattern = pick(next, ['[', '(?=a)', '^\\p{L}+$', 'a{1001}', '\\Z', '(?P<n>a)', '\\1'])),
  (schema, next) =>
    (schema.properties = { ...schema.properties, [pick(next, ['', 'a.b', 'metadata', 'kind', 'x y'])]: { type: 'string' } }),
  (schema) => (schema.additionalProperties = true),
  (schema) => (schema.additionalProperties = false),
  (schema) => (schema.additionalItems = { type: 'string' }),
  (schema) => (schema.externalDocs = { url: 'x' }),
  (schema) => (schema.dependencies = { a: ['b'] }),
  (schema) => (schema.example = { a: 1 }),
  (schema) => (schema.title = 'x'),
  (schema) => (schema.$schema = 'http://json-schema.org/schema#'),
  (schema) => (schema.description = longText),
  (schema) => Object.assign(schema, { type: 'array', items: [{ type: 'string' }] }),
  (schema) =>
    Object.assign(schema, {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'string' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
    }),
  (schema) =>
    Object.assign(schema, {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'object' } }, required: ['a'] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
    }),
  (schema) => Object.assign(schema, { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }),
  (schema) =>
    Object.assign(schema, { type: 'array', items: { type: 'object', 'x-kubernetes-map-type': 'atomic' }, 'x-kubernetes-list-type': 'set' }),
  (schema) => Object.assign(schema, { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { kind: { type: 'integer' } } }),
  (schema) => Object.assign(schema, { type: 'string', 'x-kubernetes-int-or-string': true }),
  (schema) => Object.assign(schema, { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }),
  (schema) =>
    Object.assign(schema, {
      'x-kubernetes-int-or-string': true,
      allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: 'x' }],
    }),
  (schema) => (schema.anyOf = [{ properties: { nope: { minimum: 1 } } }, { required: ['nope'] }]),
  (schema) => (schema.not = { type: 'string' }),
];

/** A definition that `createSeededRandom(seed)` gives: right, or wrong in up to three things. */
export function generateDefinition(seed: number, suffix: string): LooseDefinition {
  const { next } = createSeededRandom(seed);
  const root: JSONSchemaProps = { type: 'object', properties: { spec: generateObject(next, 2) } };
  addDefaults(next, root);
  if (next() < 0.3) {
    addRules(next, root);
    addBounds(root);
  }
  const definition = definitionNamed(suffix, root);
  changeDefinition(definition, next);
  return definition;
}

/** Makes one to three changes. */
export function changeDefinition(definition: LooseDefinition, next: Next): void {
  const kinds = [nameChanges, versionChanges, versionChanges, conversionChanges, wrongTypes];
  for (let each = 0; each < 1 + Math.floor(next() * 3); each++) {
    if (next() < 0.5) {
      if (Array.isArray(definition.spec.versions)) pick(next, pick(next, kinds))(definition, next);
      continue;
    }
    const version = Array.isArray(definition.spec.versions) ? definition.spec.versions[0] : undefined;
    const root = version?.schema?.openAPIV3Schema;
    if (root) pick(next, pick(next, [schemaChanges, moreSchemaChanges]))(pick(next, partsOf(root)), next);
  }
}
