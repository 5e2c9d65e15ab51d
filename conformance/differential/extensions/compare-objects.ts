import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { toStorageDefinition } from '../../../api/extensions/to-definitions.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { outcomeOf } from '../custom-resources/compare-objects.ts';
import { addBounds, addRules } from '../custom-resources/generate-rules.ts';
import { addDefaults, generateObject, type Next, pick } from '../custom-resources/generate-schemas.ts';
import { type Comparison, compareRequest, inLanes, newComparison } from './comparison.ts';
import { definitionNamed, group, type LooseDefinition } from './generate-definitions.ts';
import { generateRequest, probeRequest, type RunKind } from './object-requests.ts';
import { noteVersions, type TwoServers, untilServed } from './two-servers.ts';

const requestsOfSchema = 40;
const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Sends what is done with objects of generated kinds: 40 requests for each kind, the last 15 by a schema that has changed. */
export async function compareObjects(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const comparison = newComparison();
  await inLanes(Math.ceil(count / requestsOfSchema), async (index) => {
    const { next } = createSeededRandom(seed * 100_003 + index);
    const definition = generateKind(next, `o${index}`, 'first');
    const made = await compareRequest(servers, comparison, { method: 'POST', path: definitionsPath, body: definition });
    if (made.status !== 201) return;
    const name = definition.metadata.name;
    await untilServed(servers, `/apis/${group}/v1/namespaces/default/things${`o${index}`}`);
    await exchange(servers, comparison, kindOf(definition, next), requestsOfSchema - 15);
    const changed = evolve(definition, next);
    const patch = { spec: { versions: changed.spec.versions } };
    const contentType = 'application/merge-patch+json';
    const patched = await compareRequest(servers, comparison, {
      method: 'PATCH',
      path: `${definitionsPath}/${name}`,
      body: patch,
      contentType,
    });
    if (patched.status === 200) {
      await untilProbed(servers, kindOf(changed, next), 'second');
      await exchange(servers, comparison, kindOf(changed, next), 15);
    }
    await servers.send({ method: 'DELETE', path: `${definitionsPath}/${name}` });
  });
  return comparison;
}

async function exchange(servers: TwoServers, comparison: Comparison, kind: RunKind, count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const request = generateRequest(kind);
    const answers = await compareRequest(servers, comparison, request, kind.schema);
    const name = /\/(o\d)\b/.exec(request.path)?.[1] ?? answers.name;
    if (name !== undefined && answers.isWrite) noteVersions(servers, `${kind.plural}:${name}`, answers.raw);
  }
}

/** A kind of random columns, subresources and selectable fields, whose field `probe` may be `probe` alone. */
function generateKind(next: Next, suffix: string, probe: string): LooseDefinition {
  const spec = generateObject(next, 3);
  spec.properties = { ...spec.properties, replicas: { type: 'integer', format: 'int32' } };
  const status = generateObject(next, 1);
  status.properties = { ...status.properties, replicas: { type: 'integer', format: 'int32' }, selector: { type: 'string' } };
  const schema: JSONSchemaProps = { type: 'object', properties: { probe: { type: 'string', enum: [probe] }, spec, status } };
  addDefaults(next, schema);
  if (next() < 0.5) {
    addRules(next, schema);
    dropBadRules(schema);
    addBounds(schema);
  }
  const definition = definitionNamed(suffix, schema);
  const [version] = definition.spec.versions;
  if (version && next() < 0.6) {
    const scale = {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      ...(next() < 0.5 ? { labelSelectorPath: '.status.selector' } : {}),
    };
    version['subresources'] = { status: {}, ...(next() < 0.6 ? { scale } : {}) };
  }
  if (version && next() < 0.5) version['additionalPrinterColumns'] = columnsOf(next);
  if (version && ['string', 'integer', 'boolean'].includes(spec.properties['a']?.type ?? ''))
    version['selectableFields'] = [{ jsonPath: '.spec.a' }];
  return definition;
}

/** The next version of a definition: with rules and bounds that stored objects may break, and a field with a default. */
function evolve(definition: LooseDefinition, next: Next): LooseDefinition {
  const changed = structuredClone(definition);
  const schema = changed.spec.versions[0]?.schema?.openAPIV3Schema;
  if (!schema?.properties) return changed;
  addRules(next, schema);
  dropBadRules(schema);
  addBounds(schema);
  Object.assign(schema.properties, { probe: { type: 'string', enum: ['second'] }, added: { type: 'string', default: 'new' } });
  return changed;
}

/** Rules that never compile would make every second schema one that is refused. */
function dropBadRules(schema: JSONSchemaProps): void {
  const rules = schema['x-kubernetes-validations'];
  if (rules?.some(({ rule, messageExpression }) => rule === 'self.nope == 1' || messageExpression === 'self + 1'))
    delete schema['x-kubernetes-validations'];
  for (const part of Object.values(schema.properties ?? {})) dropBadRules(part);
  if (typeof schema.items === 'object') dropBadRules(schema.items as JSONSchemaProps);
  if (typeof schema.additionalProperties === 'object') dropBadRules(schema.additionalProperties);
}

function columnsOf(next: Next): object[] {
  const paths = [
    '.spec.a',
    '.spec.b',
    '.spec.c',
    '.status.replicas',
    '.metadata.name',
    '.spec.a[0]',
    '.spec.b[*].name',
    '.spec',
    '.metadata.creationTimestamp',
    '.spec.c.k',
  ];
  const column = (_: unknown, index: number) => ({
    name: `C${index}`,
    type: pick(next, ['string', 'integer', 'number', 'boolean', 'date']),
    jsonPath: pick(next, paths),
    ...(next() < 0.3 ? { priority: 1 } : {}),
  });
  return Array.from({ length: 1 + Math.floor(next() * 4) }, column);
}

function kindOf(definition: LooseDefinition, next: Next): RunKind {
  const { names, versions } = definition.spec;
  const made = toStorageDefinition({
    ...definition,
    metadata: { ...definition.metadata, uid: 'a' },
  } as unknown as CustomResourceDefinition);
  if (!made) throw new Error('there is a storage version');
  const isValid = (object: object): boolean => {
    const { causes, message } = outcomeOf(made, object);
    return causes.length === 0 && message === '';
  };
  const schema = versions[0]?.schema?.openAPIV3Schema ?? {};
  return { plural: String(names['plural']), kind: String(names['kind']), schema, next, isValid };
}

/** Waits until both validate by the schema of that probe. */
async function untilProbed(servers: TwoServers, kind: RunKind, probe: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answers = await servers.send(probeRequest(kind));
    if (answers.every(({ body }) => JSON.stringify(body).includes(`supported values: \\"${probe}\\"`))) return;
    await sleep(50);
  }
  throw new Error(`the schema of ${kind.plural} did not change`);
}
