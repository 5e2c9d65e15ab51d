import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { Store } from '../registry/store.ts';
import type { Written } from '../registry/writes/write-context.ts';
import type { RequestContext } from '../request/request-context.ts';
import { largeResponse } from './large-response.ts';
import { objectResponse } from './object-response.ts';

/** The object as it was written. What is large is encoded in another thread. */
export async function respondWritten(context: RequestContext, store: Store, written: Written, status: number): Promise<APIResponse> {
  return (await largeResponse(context, store, written.json, status)) ?? writtenResponse(context, store, written, status);
}

/** The object as it was written. */
export function writtenResponse(context: RequestContext, store: Store, written: Written, status: number): APIResponse {
  return objectResponse(
    context,
    store.definition,
    { json: () => written.json, read: () => written.object as DeepReadonly<UntypedObject> },
    status,
  );
}
