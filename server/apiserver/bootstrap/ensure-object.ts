import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/**
 * Makes sure that an object exists; `bring`, if given, returns the desired object, made from the existing one. Only reads if the object is
 * as desired. Several servers may do this at the same time. Returns the object if it was created.
 */
export async function ensureObject<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  wanted: T,
  bring?: (present: T) => T,
): Promise<T | undefined> {
  const present = await ignoreNotFound(client(resource).get(keyOf(wanted)));
  if (!present) {
    try {
      return await client(resource).create(wanted);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
    return undefined;
  }
  const changed = bring?.(present);
  if (!changed || isSemanticallyEqual(changed, present)) return undefined;
  try {
    await client(resource).update(changed);
  } catch (error) {
    if (!hasReason(error, 'Conflict')) throw error;
  }
  return undefined;
}
