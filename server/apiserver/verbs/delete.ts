import type { APIResponse } from '../../../api/client/transport.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { attributesOf, forbiddenError } from '../filters/authorization.ts';
import type { Store } from '../registry/store.ts';
import { deletion } from '../registry/writes/pipelines.ts';
import { returnsDeleted } from '../registry/writes/returns-deleted.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject, plainObjectResponse } from '../responses/object-response.ts';
import { writtenResponse } from '../responses/written-response.ts';
import { ignoreReadError, parseDeleteOptions, warnOfDependents } from './delete-options.ts';

/**
 * DELETE of one object. Answers with the object if it still exists (finalizers, grace period), else with a Status or the object's last
 * state.
 */
export async function deleteEndpoint(context: RequestContext, store: Store, authorizer: Authorizer): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const { namespace, name } = context.info;
  const { options, write } = parseDeleteOptions(context);
  if (options[ignoreReadError]) await requireUnsafeDelete(context, authorizer);
  warnOfDependents(context, store, options);
  const deleted = await store.delete(deletion, { namespace, name }, options, write);
  if (deleted.kind === 'object') {
    // Only clients that ask with orphanDependents are told that the deletion is not finished.
    return writtenResponse(context, store, deleted.written, options.orphanDependents === false ? 202 : 200);
  }
  if (returnsDeleted(store.definition) && deleted.last) return writtenResponse(context, store, deleted.last, 200);
  const { code: _, ...status } = deleted.status;
  return plainObjectResponse(context, status);
}

/** Deleting an object without reading it needs a right of its own. */
async function requireUnsafeDelete(context: RequestContext, authorizer: Authorizer): Promise<void> {
  const attributes = { ...attributesOf(context), verb: 'unsafe-delete-ignore-read-errors' };
  const { decision, reason } = await authorizer.authorize(attributes);
  if (decision !== 'Allow') throw forbiddenError(attributes, reason);
}
