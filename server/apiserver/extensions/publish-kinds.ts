import { createHash } from 'node:crypto';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { JSONObject } from '../../../api/base/json-object.ts';
import { concatBytes } from '../../../api/client/read-body.ts';
import { openAPIOf, openAPIV3Document } from '../../../api/extensions/openapi/open-api-of.ts';
import { readPublishedParameters } from '../../../api/extensions/openapi/published-parameters.ts';
import { isEstablished } from '../../../api/extensions/plan-definition-status.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { indexSwagger } from '../documents/merge-openapi.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

/** One version of a custom kind. */
interface Published {
  readonly crd: CRD;
  readonly version: string;
}

/** The kinds that documents have to show, by the names of the documents of OpenAPI 3. */
type Kinds = ReadonlyMap<string, readonly Published[]>;

/** Where the parameters and the schemas that all kinds share are taken from. */
const templateName = 'apis/apps/v1';

/**
 * The OpenAPI documents of built-in kinds, and those of custom kinds, which are made when they are requested. Their hashes are computed
 * from the definitions, so that all servers on a store have the same ones without making a document.
 */
export function withCustomKinds(documents: OpenAPIDocuments, known: ReadonlyMap<string, CRD>): OpenAPIDocuments {
  let template: Promise<JSONObject> | undefined;
  const readTemplate = () => {
    template ??= documents.read(templateName).then(parse);
    template.catch(() => (template = undefined));
    return template;
  };
  return {
    async list() {
      const own = await documents.list();
      const kinds = publishedKinds(known);
      if (kinds.size === 0) return own;
      const taken = new Set(own.map(({ name }) => name));
      const custom = [...kinds]
        .map(([name, published]) => ({ name, hash: hashOf(name, published) }))
        .filter(({ name }) => !taken.has(name));
      const all = custom.map(({ hash }) => hash).join(' ');
      return [...own.map((one) => (one.name === 'v2' ? { ...one, hash: digest(`${one.hash} ${all}`) } : one)), ...custom];
    },
    async read(name) {
      const kinds = publishedKinds(known);
      if (name === 'v2' && kinds.size > 0) return mergeKinds(await documents.read('v2'), kinds);
      const published = kinds.get(name);
      const isBuiltIn = (await documents.list()).some((one) => one.name === name);
      if (!published || isBuiltIn) return documents.read(name);
      return Buffer.from(JSON.stringify(openAPIV3Document(published, await readTemplate())));
    },
  };
}

function parse(bytes: Uint8Array): JSONObject {
  return JSON.parse(new TextDecoder().decode(bytes)) as JSONObject;
}

function publishedKinds(known: ReadonlyMap<string, CRD>): Kinds {
  const kinds = new Map<string, Published[]>();
  for (const name of [...known.keys()].sort()) {
    const crd = known.get(name);
    if (!crd || !isEstablished(crd)) continue;
    for (const { name: version, served } of crd.spec.versions) {
      if (!served) continue;
      const document = `apis/${crd.spec.group}/${version}`;
      const published = kinds.get(document);
      if (published) published.push({ crd, version });
      else kinds.set(document, [{ crd, version }]);
    }
  }
  return kinds;
}

const hashes = new WeakMap<CRD, string>();

/** The hash of everything in a definition that the documents show. Definitions are frozen: a changed one is another object. */
function hashOfDefinition(crd: CRD): string {
  let hash = hashes.get(crd);
  if (hash === undefined) hashes.set(crd, (hash = digest(JSON.stringify([crd.spec, crd.status?.acceptedNames]))));
  return hash;
}

function hashOf(name: string, published: readonly Published[]): string {
  return digest([name, ...published.map(({ crd }) => hashOfDefinition(crd))].join(' '));
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

const comma = Buffer.from(',');

/** The OpenAPI 2 document with custom kinds, inserted as bytes, one kind in each turn of the event loop. */
async function mergeKinds(base: Uint8Array, kinds: Kinds): Promise<Uint8Array> {
  const document = indexSwagger(base);
  if (!document) return base;
  const parameters = readPublishedParameters(parse(base));
  const paths: Uint8Array[] = [];
  const definitions: Uint8Array[] = [];
  for (const published of kinds.values()) {
    for (const { crd, version } of published) {
      await nextTurn();
      const shown = openAPIOf(crd, version, 'v2', parameters);
      for (const [path, item] of Object.entries(shown?.paths ?? {}))
        if (!document.paths.names.has(path)) paths.push(memberOf(path, item), comma);
      for (const [name, schema] of Object.entries(shown?.schemas ?? {}))
        if (!document.definitions.members.has(name)) definitions.push(memberOf(name, schema), comma);
    }
  }
  const inserts = [
    { at: document.paths.start + 1, members: paths },
    { at: document.definitions.start + 1, members: definitions },
  ].toSorted((a, b) => a.at - b.at);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { at, members } of inserts) {
    pieces.push(base.subarray(from, at), ...members);
    from = at;
  }
  return concatBytes([...pieces, base.subarray(from)]);
}

function memberOf(name: string, value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
}

/** Gives other work a turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
