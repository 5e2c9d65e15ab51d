import { createHash } from 'node:crypto';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { JSONObject } from '../../../api/base/json-object.ts';
import { concatBytes } from '../../../api/client/read-body.ts';
import { type PublishedParameters, readPublishedParameters } from '../../../api/extensions/openapi/published-parameters.ts';
import { isEstablished } from '../../../api/extensions/plan-definition-status.ts';
import { definitionName, namesOf } from '../../../api/extensions/to-definitions.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { indexSwagger, type SwaggerBytes } from '../documents/merge-openapi.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import type { MemberBytes, OpenAPIWork, PublishedVersion } from './openapi-work.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

/** The definitions that are known, by name. */
interface KnownDefinitions {
  readonly known: ReadonlyMap<string, CRD>;
  /** Another number whenever a definition has come, changed or gone. */
  revision(): number;
}

/** The kinds that documents have to show, by the names of the documents of OpenAPI 3. */
type Kinds = ReadonlyMap<string, readonly PublishedVersion[]>;

/** Where the parameters and the schemas that all kinds share are taken from. */
const templateName = 'apis/apps/v1';

/**
 * The OpenAPI documents of built-in kinds, and those of custom kinds, which are made when they are requested. Their hashes are computed
 * from the revisions of the definitions, so that all servers on a store have the same ones without making a document.
 */
export function withCustomKinds(documents: OpenAPIDocuments, definitions: KnownDefinitions, work: OpenAPIWork): OpenAPIDocuments {
  let template: Promise<JSONObject> | undefined;
  const readTemplate = () => {
    template ??= documents.read(templateName).then(parse);
    template.catch(() => (template = undefined));
    return template;
  };
  const kindsOfNow = createKindsOfNow(definitions);
  const mergeKinds = createMerge(documents, work);
  let listed: { readonly kinds: Kinds; readonly own: Listed; readonly all: Listed } | undefined;
  const list = async (): Promise<Listed> => {
    const own = await documents.list();
    const kinds = kindsOfNow();
    if (kinds.size === 0) return own;
    if (listed?.kinds !== kinds || listed.own !== own) listed = { kinds, own, all: listAll(own, kinds) };
    return listed.all;
  };
  return {
    list,
    async read(name) {
      const kinds = kindsOfNow();
      if (name === 'v2' && kinds.size > 0) return mergeKinds(kinds);
      const published = kinds.get(name);
      const isBuiltIn = (await documents.list()).some((one) => one.name === name);
      if (!published || isBuiltIn) return documents.read(name);
      return work.document(published, await readTemplate());
    },
    encode: work.protobuf,
  };
}

type Listed = Awaited<ReturnType<OpenAPIDocuments['list']>>;

function listAll(own: Listed, kinds: Kinds): Listed {
  const taken = new Set(own.map(({ name }) => name));
  const custom = [...kinds].map(([name, published]) => ({ name, hash: hashOf(name, published) })).filter(({ name }) => !taken.has(name));
  const all = custom.map(({ hash }) => hash).join(' ');
  return [...own.map((one) => (one.name === 'v2' ? { ...one, hash: digest(`${one.hash} ${all}`) } : one)), ...custom];
}

function parse(bytes: Uint8Array): JSONObject {
  return JSON.parse(new TextDecoder().decode(bytes)) as JSONObject;
}

/** The kinds as they are at each moment; the same map as long as no definition has changed. */
function createKindsOfNow({ known, revision }: KnownDefinitions): () => Kinds {
  let kinds: Kinds = new Map();
  let readAt: number | undefined;
  return () => {
    if (readAt !== revision()) {
      readAt = revision();
      kinds = publishedKinds(known);
    }
    return kinds;
  };
}

function publishedKinds(known: ReadonlyMap<string, CRD>): Kinds {
  const kinds = new Map<string, PublishedVersion[]>();
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

/** All servers of a store know a state of a definition by the same revision. */
function hashOf(name: string, published: readonly PublishedVersion[]): string {
  const states = published.map(({ crd: { metadata } }) => `${metadata.uid ?? ''}/${metadata.resourceVersion ?? ''}`);
  return digest([name, ...states].join(' '));
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

/** The built-in OpenAPI 2 document without its bytes: where custom kinds are put in, and what is there already. */
interface Base {
  readonly document: Omit<SwaggerBytes, 'bytes'>;
  readonly parameters: PublishedParameters;
}

/**
 * Makes the OpenAPI 2 document with custom kinds, put in as bytes, one in each turn of the event loop. What a definition adds is
 * taken from the last document that was made, as long as the definition is the same.
 */
function createMerge(documents: OpenAPIDocuments, work: OpenAPIWork): (kinds: Kinds) => Promise<Uint8Array> {
  let base: Promise<Base | undefined> | undefined;
  let made = new WeakMap<CRD, Map<string, MemberBytes>>();
  const readBase = async (): Promise<Base | undefined> => {
    const bytes = await documents.read('v2');
    const document = indexSwagger(bytes);
    if (!document) return undefined;
    await nextTurn();
    const { paths, definitions } = document;
    return { document: { paths, definitions }, parameters: readPublishedParameters(parse(bytes)) };
  };
  return async (kinds) => {
    base ??= readBase();
    base.catch(() => (base = undefined));
    const [known, bytes] = [await base, await documents.read('v2')];
    if (!known) return bytes;
    const parts: { readonly crd: CRD; readonly version: string; readonly members: MemberBytes }[] = [];
    for (const one of [...kinds.values()].flat()) {
      if (isInBase(one, known.document)) continue;
      let members = made.get(one.crd)?.get(one.version);
      if (!members) {
        await nextTurn();
        members = await work.members(one, known.parameters);
      }
      parts.push({ ...one, members });
    }
    const merged = insertParts(bytes, known.document, parts);
    made = merged.made;
    return merged.bytes;
  };
}

/** Whether the built-in document has something under a name of the kind, which stays. */
function isInBase({ crd, version }: PublishedVersion, { paths, definitions }: Base['document']): boolean {
  const { group } = crd.spec;
  const { plural, kind, listKind } = namesOf(crd);
  return (
    paths.names.has(`/apis/${group}/${version}/${plural}`) ||
    [kind, listKind].some((name) => definitions.members.has(definitionName(group, version, name)))
  );
}

function insertParts(
  base: Uint8Array,
  { paths, definitions }: Base['document'],
  parts: readonly { readonly crd: CRD; readonly version: string; readonly members: MemberBytes }[],
) {
  const inserts = [
    { at: paths.start + 1, member: 'paths' as const },
    { at: definitions.start + 1, member: 'definitions' as const },
  ].toSorted((a, b) => a.at - b.at);
  const pieces: Uint8Array[] = [];
  const places: { part: number; member: 'paths' | 'definitions'; start: number; end: number }[] = [];
  let from = 0;
  let size = 0;
  const add = (piece: Uint8Array) => {
    pieces.push(piece);
    size += piece.length;
  };
  for (const { at, member } of inserts) {
    add(base.subarray(from, at));
    for (const [part, { members }] of parts.entries()) {
      places.push({ part, member, start: size, end: size + members[member].length });
      add(members[member]);
    }
    from = at;
  }
  add(base.subarray(from));
  const bytes = concatBytes(pieces);
  const found = parts.map(() => ({ paths: bytes, definitions: bytes }));
  for (const { part, member, start, end } of places) {
    const own = found[part];
    if (own) own[member] = bytes.subarray(start, end);
  }
  const made = new WeakMap<CRD, Map<string, MemberBytes>>();
  for (const [index, { crd, version }] of parts.entries()) {
    const own = found[index];
    const versions = made.get(crd) ?? new Map<string, MemberBytes>();
    made.set(crd, versions);
    if (own) versions.set(version, own);
  }
  return { bytes, made };
}

/** Gives other work a turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
