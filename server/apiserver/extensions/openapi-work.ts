import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { JSONObject } from '../../../api/base/json-object.ts';
import { openAPIV3Document } from '../../../api/extensions/openapi/open-api-of.ts';
import { publishedMembersOf } from '../../../api/extensions/openapi/published-members.ts';
import type { PublishedParameters } from '../../../api/extensions/openapi/published-parameters.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import { loopbackUser } from '../authentication/well-known.ts';
import { encodeOpenAPI } from '../../../api/serialization/openapi/encode-openapi.ts';
import type { Asker, LargeTask, LargeWork } from '../registry/large-objects/large-work.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

/** One version of a custom kind that a document shows. */
export interface PublishedVersion {
  readonly crd: CRD;
  readonly version: string;
}

/** The members of an OpenAPI 2 document that describe a version, as JSON with a comma behind each. */
export interface MemberBytes {
  readonly paths: Uint8Array;
  readonly definitions: Uint8Array;
}

/** Makes the OpenAPI documents of custom kinds: what would hold the event loop is made in another thread. */
export interface OpenAPIWork {
  members(published: PublishedVersion, parameters: PublishedParameters): Promise<MemberBytes>;
  document(published: readonly PublishedVersion[], template: JSONObject): Promise<Uint8Array>;
  protobuf(spec: 'v2' | 'v3', json: Uint8Array): Promise<Uint8Array>;
}

/** Definitions and documents up to this size are worked on here: for some milliseconds. */
const smallBytes = 64 * 1024;

/** `sizeOf` tells the bytes of a definition as it is stored. */
export function createOpenAPIWork(work: LargeWork | undefined, sizeOf: (crd: CRD) => number): OpenAPIWork {
  const run = createRun(work);
  return {
    async members({ crd, version }, parameters) {
      if (!run || sizeOf(crd) <= smallBytes) {
        const { paths, definitions } = publishedMembersOf(crd, version, parameters);
        return { paths: Buffer.from(paths), definitions: Buffer.from(definitions) };
      }
      const joined = await run({ kind: 'openapi-members', crd, version, parameters });
      const at = joined.indexOf(lineFeed);
      return { paths: joined.subarray(0, at), definitions: joined.subarray(at + 1) };
    },
    async document(published, template) {
      const size = published.reduce((sum, { crd }) => sum + sizeOf(crd), 0);
      if (!run || size <= smallBytes) return Buffer.from(JSON.stringify(openAPIV3Document(published, template)));
      return run({ kind: 'openapi-document', published, template });
    },
    protobuf: async (spec, json) =>
      !run || json.length <= smallBytes ? encodeOpenAPI(spec, json) : run({ kind: 'openapi-protobuf', spec, json }),
  };
}

/** JSON has no line feeds outside of texts, and in texts it escapes them. */
const lineFeed = 0x0a;

/** Tasks one after the other, so that documents never fill the places of objects. */
function createRun(work: LargeWork | undefined): ((task: LargeTask) => Promise<Uint8Array>) | undefined {
  if (!work) return undefined;
  const asker: Asker = { user: loopbackUser, signal: new AbortController().signal };
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(() => work.run(task, asker)).then(({ object }) => object);
    last = result.catch(() => undefined);
    return result;
  };
}
