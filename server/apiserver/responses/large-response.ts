import type { APIResponse } from '../../../api/client/transport.ts';
import type { EncodedFormat } from '../registry/large-objects/large-objects.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject } from './object-response.ts';

function isEncodedFormat(name: string): name is EncodedFormat {
  return name === 'application/yaml' || name === 'application/vnd.kubernetes.protobuf';
}

/** The answer with an object that is too large to be written in YAML or protobuf in this thread; undefined for all others. */
export async function largeResponse(
  context: RequestContext,
  store: Store,
  json: Uint8Array,
  status = 200,
): Promise<APIResponse | undefined> {
  const { mediaType, as } = negotiateObject(context, store.definition);
  const { name } = mediaType;
  if (as || !isEncodedFormat(name) || !store.largeObjects.isLarge(json.length)) return undefined;
  const bytes = await store.largeObjects.encode(json, name, context);
  return { status, headers: { 'content-type': name }, body: { kind: 'bytes', bytes } };
}
