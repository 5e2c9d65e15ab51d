import type { APIResponse } from '../../../api/client/transport.ts';
import { decodeObject, decodingContext, expectedKind } from '../bodies/decode-object.ts';
import { checkName } from '../bodies/patch-change.ts';
import type { Store } from '../registry/store.ts';
import { replacement } from '../registry/writes/pipelines.ts';
import type { UpdateOptions } from '../registry/writes/write-context.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject } from '../responses/object-response.ts';
import { respondWritten } from '../responses/written-response.ts';
import { parseWriteOptions, type WriteOptions } from './write-options.ts';

/** PUT of an object or its status. */
export async function updateEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'UpdateOptions');
  const { namespace, name } = context.info;
  const change = await replacing(context, store, options);
  const written = await store.update(replacement, { namespace, name }, { ...options, change });
  return respondWritten(context, store, written, written.created ? 201 : 200);
}

/** The change that replaces the object by a whole one, which has been decoded once. */
async function replacing(context: RequestContext, store: Store, options: WriteOptions): Promise<UpdateOptions['change']> {
  const { definition, largeObjects } = store;
  const decoding = decodingContext(context);
  if (largeObjects.isLarge(decoding.body)) {
    const body = await largeObjects.read(decoding, options.fieldValidation, undefined, options);
    context.audit?.noteObject(body);
    checkName(body, context.info.name);
    return (old, live) => {
      if (live && largeObjects.canOwn(old)) return largeObjects.own(body, live(), context.clock.nowMs(), options, options);
      return largeObjects.copy(body);
    };
  }
  const body = decodeObject(decoding, expectedKind(definition), options.fieldValidation);
  context.audit?.noteObject(body);
  checkName(body, context.info.name);
  let isUsed = false;
  return () => {
    // The first attempt uses the decoded object and changes it; later ones decode the body again.
    if (isUsed) return decodeObject(decodingContext(context), expectedKind(definition), options.fieldValidation);
    isUsed = true;
    return body;
  };
}
