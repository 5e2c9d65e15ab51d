import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { Store, UpdateOptions, Written } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { decodeObject, decodingContext, expectedKind } from '../bodies/decode-object.ts';
import { largeResponse } from '../responses/large-response.ts';
import { negotiateObject, objectResponse } from '../responses/object-response.ts';
import { checkName, checkPatchType, createPatchChange, isApplyType, type PatchRequest } from '../bodies/patch-change.ts';
import { parseWriteOptions, type WriteOptions } from './write-options.ts';

/** POST to a collection. */
export async function createEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'CreateOptions');
  const decoding = decodingContext(context);
  const object = store.largeObjects.isLarge(decoding.body.length)
    ? await store.largeObjects.read(decoding, options.fieldValidation, options, options)
    : decodeObject(decoding, expectedKind(store.definition), options.fieldValidation);
  context.audit?.noteObject(object);
  const written = await store.create(object, context.info.namespace, options);
  return largeOrWritten(context, store, written, 201);
}

/** PUT of an object or its status. */
export async function updateEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const options = parseWriteOptions(context, 'UpdateOptions');
  const { namespace, name } = context.info;
  const change = await replacing(context, store, options);
  const written = await store.update({ namespace, name }, { ...options, change });
  return largeOrWritten(context, store, written, written.created ? 201 : 200);
}

/** The change that replaces the object by a whole one, which has been decoded once. */
async function replacing(context: RequestContext, store: Store, options: WriteOptions): Promise<UpdateOptions['change']> {
  const { definition, largeObjects } = store;
  const decoding = decodingContext(context);
  if (largeObjects.isLarge(decoding.body.length)) {
    const body = await largeObjects.read(decoding, options.fieldValidation, undefined, options);
    context.audit?.noteObject(body);
    checkName(body, context.info.name);
    return (_, live) => (live ? largeObjects.own(body, live(), context.clock.nowMs(), options, options) : body);
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

/** PATCH of an object or its status, in any of the four formats. */
export async function patchEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const type = (context.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const isApply = isApplyType(type);
  checkPatchType(store.definition, type);
  const options = parseWriteOptions(context, 'PatchOptions', isApply);
  const { namespace, name } = context.info;
  const written = await store.update(
    { namespace, name },
    {
      ...options,
      change: patching(context, store, options, type),
      isPatch: !isApply,
      ...(isApply ? { keepsManagedFields: true, createIfMissing: options.subresource === '' } : {}),
    },
  );
  return largeOrWritten(context, store, written, written.created ? 201 : 200);
}

/** The change that a patch makes; a small patch has been parsed already. */
function patching(context: RequestContext, store: Store, options: WriteOptions, type: string): UpdateOptions['change'] {
  const { fieldValidation, fieldManager, force, subresource } = options;
  const { definition, largeObjects } = store;
  const { body, nowMs, addWarning } = decodingContext(context);
  context.audit?.notePatch(body);
  const patch: PatchRequest = { type, body, name: context.info.name, fieldValidation, fieldManager, force, subresource };
  const ownership = isApplyType(type) ? undefined : options;
  const change = largeObjects.isLarge(body.length) ? undefined : createPatchChange(definition, patch, { nowMs, addWarning });
  return (old, live) => {
    const json = live?.();
    if (change && !largeObjects.isLarge(body.length, json?.length ?? 0)) return store.convertVersions(change(old));
    return largeObjects.patch(patch, json, { nowMs, addWarning }, ownership, options);
  };
}

async function largeOrWritten(context: RequestContext, store: Store, written: Written, status: number): Promise<APIResponse> {
  return (await largeResponse(context, store, written.json, status)) ?? writtenResponse(context, store, written, status);
}

export function writtenResponse(context: RequestContext, store: Store, written: Written, status: number): APIResponse {
  return objectResponse(
    context,
    store.definition,
    { json: () => written.json, read: () => written.object as DeepReadonly<UntypedObject> },
    status,
  );
}
