import type { UntypedObject } from '../../../api/meta/object.ts';

/** The object at that revision; 0: at none. */
export function withVersion(object: UntypedObject, revision: number): UntypedObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: revision === 0 ? metadata : { ...metadata, resourceVersion: String(revision) } };
}
