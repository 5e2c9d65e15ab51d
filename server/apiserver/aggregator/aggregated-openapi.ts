import { createHash } from 'node:crypto';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import { indexSwagger, mergeSwagger, type SwaggerBytes, type SwaggerPart } from '../documents/merge-openapi.ts';

interface Merged {
  readonly base: string;
  readonly parts: readonly SwaggerPart[];
  readonly bytes: Uint8Array;
}

function digest(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

/** The documents of this server, its OpenAPI v2 with those of aggregated API servers in it. */
export function withAggregatedOpenAPI(documents: OpenAPIDocuments, parts: () => readonly SwaggerPart[]): OpenAPIDocuments {
  let indexed: { readonly hash: string; readonly document: SwaggerBytes | undefined } | undefined;
  let merging: { readonly base: string; readonly parts: readonly SwaggerPart[]; readonly result: Promise<Merged | undefined> } | undefined;
  const merge = async (base: string, now: readonly SwaggerPart[]): Promise<Merged | undefined> => {
    if (indexed?.hash !== base) {
      indexed = { hash: base, document: indexSwagger(await documents.read('v2')) };
      await nextTurn();
    }
    if (!indexed.document) return undefined;
    const bytes = await mergeSwagger(indexed.document, now, nextTurn);
    await nextTurn();
    return { base, parts: now, bytes };
  };
  const merged = (base: string): Promise<Merged | undefined> => {
    const now = parts();
    if (merging?.base !== base || merging.parts !== now) {
      const made = { base, parts: now, result: merge(base, now) };
      made.result.catch(() => {
        if (merging === made) merging = undefined;
      });
      merging = made;
    }
    return merging.result;
  };
  const list = async (): ReturnType<OpenAPIDocuments['list']> => {
    const own = await documents.list();
    const now = parts();
    if (now.length === 0) {
      [indexed, merging] = [undefined, undefined];
      return own;
    }
    return own.map((one) => (one.name === 'v2' ? { ...one, hash: digest(`${one.hash} ${hashOfParts(now)}`) } : one));
  };
  return {
    list,
    async read(name) {
      if (name !== 'v2' || parts().length === 0) return documents.read(name);
      const base = (await documents.list()).find((one) => one.name === 'v2');
      const found = base && (await merged(base.hash));
      return found ? found.bytes : documents.read(name);
    },
    ...(documents.encode ? { encode: documents.encode } : {}),
  };
}

const hashes = new WeakMap<readonly SwaggerPart[], string>();

/** The hash of all that other servers show: parts that have not changed are the same array. */
function hashOfParts(parts: readonly SwaggerPart[]): string {
  let hash = hashes.get(parts);
  if (hash === undefined) hashes.set(parts, (hash = digest(JSON.stringify(parts))));
  return hash;
}

/** Gives other work a turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
