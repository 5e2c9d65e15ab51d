import type { APIResponse } from '../../../api/client/transport.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import { storeLatency } from '../registry/store-latency.ts';
import { interpretStorageError } from '../registry/interpret-storage-error.ts';
import { annotating } from '../audit/audit-record.ts';
import { reachRevision } from '../registry/reach-revision.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { largeResponse } from '../responses/large-response.ts';
import { parseResourceVersion } from '../lists/list-options.ts';
import { negotiateObject, objectResponse } from '../responses/object-response.ts';

/** GET of one object: the cache's bytes, after the cache has caught up (with resourceVersion=0: at once). */
export async function getEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const cached = await findObject(context, store);
  const large = await largeResponse(context, store, store.bytes(cached));
  if (large) return large;
  return objectResponse(context, store.definition, {
    json: () => store.bytes(cached),
    protobuf: () => store.protobuf(cached),
    read: () => store.read(cached),
  });
}

async function findObject(context: RequestContext, store: Store): Promise<CachedObject> {
  const { namespace, name } = context.info;
  const key = { namespace, name };
  const version = context.query.get('resourceVersion') ?? '';
  const read = () => storeLatency(annotating(context), context.clock, store.get(key, context.signal));
  if (version === '') return read();
  const revision = parseResourceVersion(version);
  if (revision > 0) await reachRevision(store.cache, revision, context.signal);
  return findCached(store, key) ?? read();
}

function findCached({ cache, definition }: Store, { namespace, name }: { readonly namespace: string; readonly name: string }) {
  try {
    return cache.get(definition.scope === 'Namespaced' ? `${namespace}/${name}` : name);
  } catch (error) {
    throw interpretStorageError(error, definition);
  }
}
