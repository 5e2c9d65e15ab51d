import type { APIResponse } from '../../../api/client/transport.ts';
import type { EncodedFormat } from '../registry/large-objects/large-objects.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { wantsPretty } from './error-response.ts';
import { negotiateObject } from './object-response.ts';

/** In which format an object is to be written; undefined for the bytes that are there already. */
function formatOf({ mediaType: { name }, pretty }: NegotiatedOutput, context: RequestContext): EncodedFormat | undefined {
  if (name === 'application/yaml' || name === 'application/vnd.kubernetes.protobuf') return name;
  return pretty || wantsPretty(context.request) ? 'pretty' : undefined;
}

/** The answer with an object that is too large to be written in YAML, protobuf or indented in this thread; undefined for all others. */
export async function largeResponse(
  context: RequestContext,
  store: Store,
  json: Uint8Array,
  status = 200,
): Promise<APIResponse | undefined> {
  if (!store.largeObjects.isLargeText(json.length)) return undefined;
  const output = negotiateObject(context, store.definition);
  const format = output.as ? undefined : formatOf(output, context);
  if (format === undefined) return undefined;
  const bytes = await store.largeObjects.encode(json, format, context);
  return { status, headers: { 'content-type': output.mediaType.name }, body: { kind: 'bytes', bytes } };
}
