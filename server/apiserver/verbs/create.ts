import type { APIResponse } from '../../../api/client/transport.ts';
import { decodeObject, decodingContext, expectedKind } from '../bodies/decode-object.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject } from '../responses/object-response.ts';
import { respondWritten } from '../responses/written-response.ts';
import { parseWriteOptions } from './write-options.ts';

/** POST to a collection. */
export async function createEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'CreateOptions');
  const decoding = decodingContext(context);
  const object = store.largeObjects.isLarge(decoding.body)
    ? await store.largeObjects.read(decoding, options.fieldValidation, options, options)
    : decodeObject(decoding, expectedKind(store.definition), options.fieldValidation);
  context.audit?.noteObject(object);
  const written = await store.create(object, context.info.namespace, options);
  return respondWritten(context, store, written, 201);
}
