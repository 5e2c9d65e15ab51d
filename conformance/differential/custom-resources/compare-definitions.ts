import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { crdOf, definitionCauses, upstreamOutcome } from './compare-objects.ts';
import { addBounds, addRules } from './generate-rules.ts';
import { addDefaults, generateObject, type Next, pick } from './generate-schemas.ts';
import { connectUpstream, type UpstreamServer } from './upstream-server.ts';

type Change = (schema: JSONSchemaProps, next: Next) => void;

/** Changes that make a schema wrong, or nearly. */
const changes: readonly Change[] = [
  (schema) => delete schema.type,
  (schema, next) => (schema.type = pick(next, ['null', 'text', 'object', 'string', 'array'])),
  (schema) => (schema.nullable = true),
  (schema, next) => (schema.default = pick(next, [1, 'x', {}, [], { z: 1 }, true, { a: 1 }])),
  (schema) => (schema.uniqueItems = true),
  (schema) => (schema.pattern = '('),
  (schema) => (schema.$ref = '#/x'),
  (schema) => (schema.id = 'x'),
  (schema) => (schema.items = { type: 'string', nullable: true }),
  (schema) => delete schema.items,
  (schema) => (schema.additionalProperties = { type: 'string' }),
  (schema) => (schema.patternProperties = { x: { type: 'string' } }),
  (schema) => (schema.definitions = { x: { type: 'string' } }),
  (schema, next) => (schema['x-kubernetes-list-type'] = pick(next, ['set', 'map', 'atomic', 'bag'])),
  (schema, next) => (schema['x-kubernetes-list-map-keys'] = pick(next, [['a'], ['a', 'a'], []])),
  (schema, next) => (schema['x-kubernetes-map-type'] = pick(next, ['atomic', 'granular', 'bag'])),
  (schema) => (schema['x-kubernetes-embedded-resource'] = true),
  (schema) => (schema['x-kubernetes-int-or-string'] = true),
  (schema) => (schema['x-kubernetes-preserve-unknown-fields'] = true),
  (schema) => (schema['x-kubernetes-preserve-unknown-fields'] = false),
  (schema) => (schema.anyOf = [{ type: 'integer' }, { type: 'string' }]),
  (schema, next) =>
    (schema.allOf = [
      pick(next, [
        { description: 'x' },
        { nullable: true },
        { default: 1 },
        { properties: { q: { minimum: 1 } } },
        { items: { maxLength: 1 } },
      ]),
    ]),
  (schema) => (schema.not = { additionalProperties: { maxLength: 1 } }),
  (schema) => (schema.oneOf = [{ 'x-kubernetes-list-type': 'set' }]),
  (schema) => (schema.properties = { ...schema.properties, metadata: { type: 'object', properties: { labels: { type: 'object' } } } }),
  (schema, next) =>
    (schema['x-kubernetes-validations'] = [
      { rule: pick(next, ['', 'true', 'self', '1 +', 'self.x.y', 'oldSelf == self']), message: pick(next, ['', '\n', 'a\nb', 'm']) },
    ]),
  (schema) =>
    (schema['x-kubernetes-validations'] = [
      { rule: 'true', fieldPath: '.a.b[', optionalOldSelf: true, reason: 'No' as 'FieldValueInvalid' },
    ]),
];

function partsOf(schema: JSONSchemaProps): JSONSchemaProps[] {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    schema.items,
    schema.additionalProperties,
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
  ];
  return [schema, ...inner.flatMap((part) => (typeof part === 'object' && !Array.isArray(part) ? partsOf(part) : []))];
}

export interface DefinitionComparison {
  readonly compared: number;
  readonly refused: number;
  readonly differences: readonly string[];
}

/** Asks the server for its verdict on generated definitions, most of which are wrong, and compares it with that of kubets. */
export async function compareDefinitions(server: UpstreamServer, count: number, seed: number): Promise<DefinitionComparison> {
  const differences: string[] = [];
  let refused = 0;
  const compare = async (index: number): Promise<void> => {
    const { next } = createSeededRandom(seed * 7919 + index);
    const root: JSONSchemaProps = { type: 'object', properties: { spec: generateObject(next, 2) } };
    addDefaults(next, root);
    if (next() < 0.3) {
      addRules(next, root);
      addBounds(root);
    }
    for (let each = 0; each < 1 + Math.floor(next() * 2); each++) pick(next, changes)(pick(next, partsOf(root)), next);
    const crd = crdOf(index, {});
    const [version] = crd.spec.versions;
    if (version?.schema) version.schema.openAPIV3Schema = root;
    if (version && next() < 0.3)
      version.subresources = { status: {}, ...(next() < 0.3 ? { scale: { specReplicasPath: '.x', statusReplicasPath: '' } } : {}) };
    if (version && next() < 0.2)
      version.selectableFields = [{ jsonPath: pick(next, ['.spec.a', '.spec.a.b', 'spec', '.metadata.name', '.spec[0]']) }];
    if (version && next() < 0.2)
      version.additionalPrinterColumns = [
        { name: pick(next, ['', 'A']), type: pick(next, ['string', 'text', '']), jsonPath: pick(next, ['.spec', 'spec', '']) },
      ];
    const answer = await server.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All', crd);
    if (answer.status === 0) return;
    if (answer.status !== 201) refused++;
    const outcome = upstreamOutcome(answer);
    const [theirs, ours] = [outcome.causes, definitionCauses(crd)];
    if (JSON.stringify(theirs) === JSON.stringify(ours)) return;
    differences.push(
      `${JSON.stringify(crd.spec.versions)}\n  theirs ${outcome.message} ${JSON.stringify(theirs)}\n  ours   ${JSON.stringify(ours)}`,
    );
  };
  const parallel = 8;
  for (let start = 0; start < count; start += parallel)
    await Promise.all(Array.from({ length: Math.min(parallel, count - start) }, (_, index) => compare(start + index)));
  return { compared: count, refused, differences };
}

if (import.meta.main) {
  const [url, token] = [process.env['KUBETS_UPSTREAM_URL'], process.env['KUBETS_UPSTREAM_TOKEN']];
  if (url === undefined || token === undefined) {
    console.error(
      'KUBETS_UPSTREAM_URL and KUBETS_UPSTREAM_TOKEN name a running kube-apiserver.\n  node compare-definitions.ts [COUNT [SEED]]',
    );
    process.exit(2);
  }
  const [count = 500, seed = 1] = process.argv.slice(2).map(Number);
  const server = connectUpstream(url, token);
  const { compared, refused, differences } = await compareDefinitions(server, count, seed);
  server.close();
  for (const text of differences) console.log(text);
  console.log(`${compared} definitions (${refused} refused): ${differences.length} differences`);
}
