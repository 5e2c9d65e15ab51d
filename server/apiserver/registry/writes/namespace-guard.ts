import { namespaceTerminating, notFound } from '../../../../api/meta/status-errors.ts';
import type { ObjectKey } from '../../../../api/meta/object.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import type { Condition, StoredEntry } from '../../../storage/storage.ts';
import type { WatchCache } from '../../../storage/watch-cache/watch-cache.ts';
import type { StoreCore } from '../store-core.ts';

/** The condition that keeps new objects out of a namespace that is deleted meanwhile, whatever the caches of this server show. */
interface NamespaceGuard {
  readonly condition: Condition;
  /** The condition for another attempt, after the namespace was found changed. Throws what NamespaceLifecycle would throw. */
  conditionAfter(present: StoredEntry | undefined): Condition;
}

/** Undefined where there is nothing to guard: objects without namespace, and servers without NamespaceLifecycle. */
export function guardNamespace({ definition, dependencies }: StoreCore, { namespace, name }: ObjectKey): NamespaceGuard | undefined {
  const cache = definition.scope === 'Namespaced' ? dependencies.namespaces?.() : undefined;
  // Admission has read it through this cache, or has refused the request.
  const known = cache?.get(namespace);
  if (!cache || !known) return undefined;
  const key = `/registry/${namespaces.storagePrefix}/${namespace}`;
  return {
    condition: { key, modRevision: known.revision },
    conditionAfter(present) {
      if (!present) throw notFound(namespaces, namespace);
      if (isTerminating(cache, present)) throw namespaceTerminating(definition, name, namespace);
      return { key, modRevision: present.modRevision };
    },
  };
}

function isTerminating(cache: WatchCache, entry: StoredEntry): boolean {
  const status = cache.wrap(entry).object()['status'] as { readonly phase?: string } | undefined;
  return status?.phase === 'Terminating';
}
