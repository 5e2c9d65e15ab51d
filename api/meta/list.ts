import type { KubeObject } from './object.ts';

/** metav1.ListMeta */
export interface ListMetadata {
  resourceVersion?: string;
  /** Present where more pages follow: goes into the next request. */
  continue?: string;
  remainingItemCount?: number;
  selfLink?: string;
}

/** A list of objects of one kind as it stands on the wire. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion?: string;
  kind?: string;
  metadata: ListMetadata;
  items: T[];
}
