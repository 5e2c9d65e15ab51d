import type { APIResponse } from '../../../api/client/transport.ts';
import { decodingContext } from '../bodies/decode-object.ts';
import { checkPatchType, createPatchChange, isApplyType, type PatchRequest } from '../bodies/patch-change.ts';
import type { Store } from '../registry/store.ts';
import { apply, patch } from '../registry/writes/pipelines.ts';
import type { UpdateOptions } from '../registry/writes/write-context.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject } from '../responses/object-response.ts';
import { respondWritten } from '../responses/written-response.ts';
import { parseWriteOptions, type WriteOptions } from './write-options.ts';

/** PATCH of an object or its status, in any of the four formats. */
export async function patchEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const type = (context.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const isApply = isApplyType(type);
  checkPatchType(store.definition, type);
  const options = parseWriteOptions(context, 'PatchOptions', isApply);
  const { namespace, name } = context.info;
  const change = patching(context, store, options, type);
  const written = await store.update(isApply ? apply : patch, { namespace, name }, { ...options, change });
  return respondWritten(context, store, written, written.created ? 201 : 200);
}

/** The change that a patch makes; a small patch has been parsed already. */
function patching(context: RequestContext, store: Store, options: WriteOptions, type: string): UpdateOptions['change'] {
  const { fieldValidation, fieldManager, force, subresource } = options;
  const { definition, largeObjects } = store;
  const { body, nowMs, addWarning } = decodingContext(context);
  context.audit?.notePatch(body);
  const request: PatchRequest = { type, body, name: context.info.name, fieldValidation, fieldManager, force, subresource };
  const ownership = isApplyType(type) ? undefined : options;
  const createChange = () => createPatchChange(definition, request, { nowMs, addWarning });
  let change = largeObjects.isLarge(body) ? undefined : createChange();
  return (old, live) => {
    const json = live?.();
    if (!largeObjects.isLarge(body, json) || !largeObjects.canOwn(old)) return store.convertVersions((change ??= createChange())(old));
    return largeObjects.patch(request, json, { nowMs, addWarning }, ownership, options);
  };
}
