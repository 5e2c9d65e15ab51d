import type { APIResponse } from '../../../api/client/transport.ts';
import { invalid } from '../../../api/meta/status-errors.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { Store } from '../registry/store.ts';
import { collectionDeletion } from '../registry/writes/pipelines.ts';
import type { RequestContext } from '../request/request-context.ts';
import { negotiateObject, plainObjectResponse } from '../responses/object-response.ts';
import { ignoreReadError, parseDeleteOptions, warnOfDependents } from './delete-options.ts';
import { readPage } from './list.ts';

/** How many deletions of a collection go on at a time. */
const workers = 16;

/** DELETE of a collection: deletes all objects that the selectors match, and answers with their list. */
export async function deleteCollectionEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const { options, write } = parseDeleteOptions(context);
  if (options[ignoreReadError]) {
    const detail = 'is not allowed with DELETECOLLECTION, try again after removing the option';
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [invalidField(FieldPath.root.child(ignoreReadError), true, detail)]);
  }
  warnOfDependents(context, store, options);
  const { objects, metadata } = await readPage(context, store);
  const pending = objects.values();
  const work = async () => {
    for (const { namespace, name } of pending) {
      try {
        await store.delete(collectionDeletion, { namespace, name }, options, write);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const { definition } = store;
  return plainObjectResponse(context, {
    kind: definition.names.listKind,
    apiVersion: apiVersionOf(definition),
    metadata,
    items: objects.map((object) => store.read(object)),
  });
}
