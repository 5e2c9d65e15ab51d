import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { toStorageDefinition } from '../../../api/extensions/to-definitions.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../api/meta/object-meta.ts';
import type { ResourceDefinition, StrategyContext } from '../../../api/resource/resource-definition.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { applyDefaults, defaultsFor } from '../../../api/schema/default.ts';
import { orderFields } from '../../../api/schema/order-fields.ts';
import { jsonMediaType } from '../../../api/serialization/media-types.ts';
import { readObject } from '../../../api/serialization/read-object.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { type FieldError, formatErrorBody } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { addBounds, addRules } from './generate-rules.ts';
import { addDefaults, generateObject, generateValue } from './generate-schemas.ts';
import { connectUpstream, type UpstreamAnswer, type UpstreamServer } from './upstream-server.ts';

/** The parts of an answer that are compared. */
interface Outcome {
  readonly causes: readonly string[];
  readonly message: string;
  readonly spec: unknown;
  readonly warnings: readonly string[];
}

function crdOf(index: number, spec: JSONSchemaProps): CustomResourceDefinition {
  const names = { plural: `things${index}`, singular: `thing${index}`, kind: `Thing${index}`, listKind: `Thing${index}List` };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.differential.example.com` },
    spec: { group: 'differential.example.com', scope: 'Cluster', names, versions: [{ name: 'v1', served: true, storage: true, schema }] },
  };
}

const context: StrategyContext = {
  nowMs: 0,
  operation: 'create',
  subresource: '',
  user: { name: 'admin', uid: '', groups: [], extra: {} },
};

/** kubets' verdict on a new object, or on one that replaces `old`, by calling its functions directly. */
export function outcomeOf(definition: ResourceDefinition, object: object, old?: UntypedObject): Outcome {
  const { group, version, names, schema } = definition;
  if (schema === undefined) throw new Error('a custom kind has a schema');
  const warnings: string[] = [];
  try {
    const read = readObject(new TextEncoder().encode(JSON.stringify(object)), jsonMediaType, {
      expected: { group, version, kind: names.kind },
      schema,
      fieldValidation: 'Warn',
      isRegistered: () => true,
    });
    warnings.push(...read.warnings);
    applyDefaults(read.object, schema);
    const made = orderFields(read.object, schema) as UntypedObject;
    const at = FieldPath.root.child('metadata');
    const errors: FieldError[] = old
      ? [
          ...validateObjectMetaUpdate({ ...made.metadata, resourceVersion: '1' }, old.metadata, at),
          ...(definition.validateUpdate?.(made as KubeObject, old as KubeObject, FieldPath.root, { ...context, operation: 'update' }) ??
            []),
        ]
      : [
          ...validateObjectMeta(made.metadata, false, definition.nameRule, at),
          ...(definition.validate?.(made as KubeObject, FieldPath.root, context) ?? []),
        ];
    if (errors.length === 0) warnings.push(...(definition.warnings?.(made as KubeObject, old as KubeObject | undefined) ?? []));
    return { causes: causesOf(errors), message: '', spec: errors.length > 0 ? undefined : made['spec'], warnings };
  } catch (error) {
    if (error instanceof StatusError) return { causes: [], message: error.message, spec: undefined, warnings: [] };
    throw error;
  }
}

/** Values are left out where they are lists and objects, which v1.32 shows as Go source. */
function causesOf(errors: readonly FieldError[]): string[] {
  return errors.map((error) => normalize(error.type, error.field, formatErrorBody(error))).toSorted();
}

function normalize(reason: string, field: string, message: string): string {
  const shortened = message.replace(
    /^([A-Z][a-z ]+): (?:apiextensions\.\w+\{|map\[string\]interface \{\}|\[\]interface \{\}|\{|\[).*?(: (?=[^:]*(?: in body |must |supported |should |json))|: (?=compilation failed|messageExpression compilation|messageExpression must|cel expression)|$)/s,
    '$1: …$2',
  );
  // v1.36 has a singular.
  return `${field} ${reason} ${shortened.replace(/\b1 (byte|item)s$/, '1 $1')}`;
}

function upstreamOutcome({ status, body, warnings }: UpstreamAnswer): Outcome {
  const details = body['details'] as { causes?: { reason: string; field: string; message: string }[] } | undefined;
  if (status === 422 && details?.causes)
    return {
      causes: details.causes.map(({ reason, field, message }) => normalize(reason, field, message)).toSorted(),
      message: '',
      spec: undefined,
      warnings: [...warnings],
    };
  if (status >= 400) return { causes: [], message: String(body['message']), spec: undefined, warnings: [] };
  return { causes: [], message: '', spec: body['spec'], warnings: [...warnings] };
}

/** A difference as text; undefined where there is none. */
function difference(theirs: Outcome, ours: Outcome): string | undefined {
  const text = (outcome: Outcome) => JSON.stringify([outcome.causes, outcome.message, sorted(outcome.spec), outcome.warnings.toSorted()]);
  return text(theirs) === text(ours) ? undefined : `  theirs ${text(theirs)}\n  ours   ${text(ours)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, sorted(member)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

interface ObjectComparison {
  schemas: number;
  refusedSchemas: number;
  objects: number;
  updates: number;
  readonly differences: string[];
}

/** Creates generated definitions at the server and compares its verdicts on generated objects with those of kubets. */
async function compareObjects(
  server: UpstreamServer,
  options: { schemas: number; objects: number; seed: number },
): Promise<ObjectComparison> {
  const found: ObjectComparison = { schemas: 0, refusedSchemas: 0, objects: 0, updates: 0, differences: [] };
  const parallel = 8;
  for (let start = 0; start < options.schemas; start += parallel) {
    const indexes = Array.from({ length: Math.min(parallel, options.schemas - start) }, (_, index) => start + index);
    await Promise.all(indexes.map((index) => compareSchema(server, index, options, found)));
  }
  return found;
}

async function compareSchema(
  server: UpstreamServer,
  index: number,
  options: { objects: number; seed: number },
  found: ObjectComparison,
): Promise<void> {
  const { next } = createSeededRandom(options.seed * 100_003 + index);
  const spec = generateObject(next, 3);
  addDefaults(next, spec);
  if (index % 2 === 1) {
    addRules(next, spec);
    addBounds(spec);
  }
  const crd = crdOf(index, spec);
  found.schemas++;
  const ours = definitionCauses(crd);
  const created = await server.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
  const theirs = upstreamOutcome(created).causes;
  if (JSON.stringify(theirs) !== JSON.stringify(ours))
    found.differences.push(`definition ${JSON.stringify(spec)}\n  theirs ${JSON.stringify(theirs)}\n  ours   ${JSON.stringify(ours)}`);
  if (created.status !== 201) {
    found.refusedSchemas++;
    return;
  }
  const path = `/apis/differential.example.com/v1/things${index}`;
  const definition = toStorageDefinition(created.body as unknown as CustomResourceDefinition);
  if (!definition) throw new Error('there is a storage version');
  try {
    await untilServed(server, path);
    let stored: UntypedObject | undefined;
    for (let each = 0; each < options.objects; each++) {
      const object = objectOf(index, `o${each}`, generateValue(next, spec));
      found.objects++;
      const theirs = await server.send('POST', `${path}?fieldValidation=Warn&dryRun=All`, object);
      const problem = difference(upstreamOutcome(theirs), outcomeOf(definition, object));
      if (problem) found.differences.push(`create ${JSON.stringify(object['spec'])}\n  schema ${JSON.stringify(spec)}\n${problem}`);
      if (theirs.status === 201) stored ??= theirs.body as UntypedObject;
    }
    await compareUpdates(server, { path, index, spec, crd, next, count: Math.ceil(options.objects / 2), found });
  } finally {
    await server.send('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`);
  }
}

/** The causes for which kubets would refuse the definition. */
function definitionCauses(crd: CustomResourceDefinition): string[] {
  const object = structuredClone(crd);
  defaultsFor(customResourceDefinitions.definition)(object);
  return causesOf(customResourceDefinitions.validate?.(object, FieldPath.root, context) ?? []);
}

function objectOf(index: number, name: string, spec: unknown): UntypedObject {
  return { apiVersion: 'differential.example.com/v1', kind: `Thing${index}`, metadata: { name }, spec };
}

async function untilServed(server: UpstreamServer, path: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if ((await server.send('GET', path)).status === 200) return;
    await sleep(50);
  }
  throw new Error(`${path} is not served`);
}

interface UpdateComparison {
  readonly path: string;
  readonly index: number;
  readonly spec: JSONSchemaProps;
  readonly crd: CustomResourceDefinition;
  readonly next: () => number;
  readonly count: number;
  readonly found: ObjectComparison;
}

/** Objects that were stored before the rules were there: which errors an update tolerates. */
async function compareUpdates(server: UpstreamServer, comparison: UpdateComparison): Promise<void> {
  const { path, index, spec, crd, next, count, found } = comparison;
  const crdPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const setSchema = async (schema: JSONSchemaProps) => {
    const patch = [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec', value: schema }];
    return server.send('PATCH', crdPath, patch, 'application/json-patch+json');
  };
  await setSchema(open);
  const names: string[] = [];
  for (let each = 0; each < count; each++) {
    const name = `u${each}`;
    // The new schema is served a little later.
    for (let attempt = 0; attempt < 100; attempt++) {
      const made = await server.send('POST', path, objectOf(index, name, plain(generateMapOf(next, spec))));
      if (made.status === 201 || made.status === 409) {
        names.push(name);
        break;
      }
      await sleep(50);
    }
  }
  const restored = await setSchema(spec);
  if (restored.status !== 200) return;
  const definition = toStorageDefinition(restored.body as unknown as CustomResourceDefinition);
  if (!definition) return;
  await sleep(1500);
  for (const name of names) {
    const { body: old } = await server.send('GET', `${path}/${name}`);
    const fresh = generateMapOf(next, spec);
    const oldSpec = (old['spec'] ?? {}) as Record<string, unknown>;
    const mixed = Object.fromEntries(
      Object.entries({ ...oldSpec, ...fresh }).map(([key, value]) => [key, next() < 0.5 && key in oldSpec ? oldSpec[key] : value]),
    );
    const object: UntypedObject = { ...(old as UntypedObject), spec: mixed };
    found.updates++;
    const theirs = await server.send('PUT', `${path}/${name}?dryRun=All&fieldValidation=Warn`, object);
    const problem = difference(upstreamOutcome(theirs), outcomeOf(definition, object, old as UntypedObject));
    if (problem)
      found.differences.push(`update ${JSON.stringify(oldSpec)} -> ${JSON.stringify(mixed)}\n  schema ${JSON.stringify(spec)}\n${problem}`);
  }
}

function generateMapOf(next: () => number, spec: JSONSchemaProps): Record<string, unknown> {
  const value = generateValue(next, spec);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const plain = (value: unknown): unknown => value;

if (import.meta.main) {
  const [url, token] = [process.env['KUBETS_UPSTREAM_URL'], process.env['KUBETS_UPSTREAM_TOKEN']];
  if (url === undefined || token === undefined) {
    console.error(
      'KUBETS_UPSTREAM_URL and KUBETS_UPSTREAM_TOKEN name a running kube-apiserver.\n  node compare-objects.ts [SCHEMAS [OBJECTS [SEED]]]',
    );
    process.exit(2);
  }
  const [schemas = 50, objects = 10, seed = 1] = process.argv.slice(2).map(Number);
  const server = connectUpstream(url, { token });
  const result = await compareObjects(server, { schemas, objects, seed });
  server.close();
  for (const text of result.differences) console.log(text);
  console.log(
    `${result.schemas} schemas (${result.refusedSchemas} refused), ${result.objects} objects, ${result.updates} updates: ${result.differences.length} differences`,
  );
}
