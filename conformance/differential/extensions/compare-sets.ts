import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { generateValue } from '../custom-resources/generate-schemas.ts';
import { type Comparison, compareRequest, inLanes, newComparison } from './comparison.ts';
import type { LooseDefinition } from './generate-definitions.ts';
import { noteVersions, type TwoServers } from './two-servers.ts';

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ownedBySchema = /^io\.k8s\.(?:apimachinery|api)\b/;

/**
 * Installs the definitions of a directory (KUBETS_CRDS; one JSON file each) on both servers and compares their conditions, what
 * discovery and OpenAPI v3 tell of them, and the verdicts on `count` objects of each kind, which are generated from its schema.
 */
export async function compareSets(servers: TwoServers, count: number, seed: number): Promise<Comparison> {
  const directory = process.env['KUBETS_CRDS'];
  if (directory === undefined) throw new Error('KUBETS_CRDS names a directory of CustomResourceDefinitions, one JSON file each');
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  const definitions = files.map((name) => JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as LooseDefinition);
  const comparison = newComparison();
  const made: LooseDefinition[] = [];
  await inLanes(definitions.length, async (index) => {
    const body = definitions[index];
    if (!body) return;
    const { status } = await compareRequest(servers, comparison, { method: 'POST', path: `${definitionsPath}?fieldValidation=Warn`, body });
    if (status === 201) made.push(body);
  });
  await inLanes(made.length, async (index) => {
    const name = made[index]?.metadata.name ?? '';
    await untilEstablished(servers, name);
    await compareRequest(servers, comparison, { method: 'GET', path: `${definitionsPath}/${name}` });
  });
  const versions = new Set(
    made.flatMap(({ spec }) => spec.versions.filter(({ served }) => served).map(({ name }) => `${spec.group}/${name}`)),
  );
  for (const version of versions) {
    await untilPublished(servers, version);
    await compareRequest(servers, comparison, { method: 'GET', path: `/apis/${version}` });
    await compareDocument(servers, comparison, `/openapi/v3/apis/${version}`);
  }
  await inLanes(made.length, async (index) => {
    const definition = made[index];
    if (definition) await compareSamples(servers, comparison, definition, count, seed + index);
  });
  return comparison;
}

/** Objects are created, read, changed by a merge patch and applied. */
async function compareSamples(
  servers: TwoServers,
  comparison: Comparison,
  { spec }: LooseDefinition,
  count: number,
  seed: number,
): Promise<void> {
  const { next } = createSeededRandom(seed * 65_537);
  const { plural, kind } = spec.names;
  for (const version of spec.versions.filter(({ served }) => served)) {
    const base = `/apis/${spec.group}/${version.name}/${spec.scope === 'Namespaced' ? 'namespaces/default/' : ''}${String(plural)}`;
    const schema = version.schema?.openAPIV3Schema ?? {};
    for (let each = 0; each < count; each++) {
      const name = `${version.name}-s${each}`;
      const content = generateValue(next, limited(schema, next)) as object | null;
      const own = { apiVersion: `${spec.group}/${version.name}`, kind, metadata: { name } };
      const body = each === 0 ? own : { ...(typeof content === 'object' ? content : {}), ...own };
      const created = await compareRequest(servers, comparison, {
        method: 'POST',
        path: `${base}?fieldManager=a&fieldValidation=Warn`,
        body,
      });
      if (created.status !== 201) continue;
      noteVersions(servers, name, created.raw);
      await compareRequest(servers, comparison, {
        method: 'GET',
        path: `${base}/${name}`,
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      });
      await compareRequest(servers, comparison, {
        method: 'PATCH',
        path: `${base}/${name}?fieldManager=b&force=true`,
        body,
        contentType: 'application/apply-patch+yaml',
      });
    }
  }
}

/** A schema without the fields that are not required, but for some: all fields of large kinds at once are never valid. */
function limited(schema: JSONSchemaProps, next: () => number): JSONSchemaProps {
  if (!schema.properties) return schema;
  const kept = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name) === true || next() < 0.35);
  return { ...schema, properties: Object.fromEntries(kept.map(([name, part]) => [name, limited(part, next)])) };
}

async function untilEstablished(servers: TwoServers, name: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answers = await servers.send({ method: 'GET', path: `${definitionsPath}/${name}` });
    const isEstablished = answers.map(({ body }) => JSON.stringify((body['status'] as { conditions?: unknown } | undefined)?.conditions));
    if (isEstablished.every((text) => text?.includes('"Established"') && !text.includes('Installing'))) return;
    await sleep(100);
  }
}

async function untilPublished(servers: TwoServers, version: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answers = await servers.send({ method: 'GET', path: `/openapi/v3/apis/${version}` });
    if (answers.every(({ status }) => status === 200)) return;
    await sleep(100);
  }
}

const schemasOf = (document: unknown): unknown => (document as { readonly schemas?: unknown } | undefined)?.schemas;

/** Paths and schemas of one document, without the schemas of Kubernetes itself, which are those of another version. */
async function compareDocument(servers: TwoServers, comparison: Comparison, target: string): Promise<void> {
  const answers = await servers.send({ method: 'GET', path: target });
  const [theirs, ours] = answers.map(({ body }) => {
    const { paths, components } = body as { paths?: object; components?: { schemas?: object } };
    const schemas = Object.entries(components?.schemas ?? {}).filter(([name]) => !ownedBySchema.test(name));
    return sorted({ paths, schemas: Object.fromEntries(schemas) });
  });
  comparison.requests++;
  if (JSON.stringify(theirs) === JSON.stringify(ours)) {
    comparison.equal++;
    return;
  }
  const isNewer = JSON.stringify(schemasOf(theirs)) === JSON.stringify(schemasOf(ours)) && JSON.stringify(ours).includes('shardSelector');
  const deviation = isNewer ? { deviation: 'v1.36 has a parameter shardSelector of lists, and with it other parameters in common' } : {};
  comparison.differences.push({ request: { method: 'GET', path: target }, parts: { body: [theirs, ours] }, status: 200, ...deviation });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ') : value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
