import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/**
 * Keeps an object in existence by a finalizer while it is used: it is added to every object, and removed from an object that is being
 * deleted when `isUsed`, which is asked only then, returns false.
 */
export async function protect<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  object: DeepReadonly<T>,
  finalizer: string,
  isUsed: () => Promise<boolean>,
): Promise<void> {
  const present = object.metadata.finalizers ?? [];
  const isProtected = present.includes(finalizer);
  const isGoing = object.metadata.deletionTimestamp !== undefined;
  if (isProtected !== isGoing || (isGoing && (await isUsed()))) return;
  const finalizers = isGoing ? present.filter((one) => one !== finalizer) : [...present, finalizer];
  const changed = mutableCopy<T>(object);
  changed.metadata.finalizers = finalizers;
  await ignoreNotFound(client(resource).update(changed));
}
