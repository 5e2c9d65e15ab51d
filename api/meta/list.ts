/** metav1.ListMeta */
export interface ListMetadata {
  resourceVersion?: string;
  /** The token for the next request; present where more pages follow. */
  continue?: string;
  remainingItemCount?: number;
  selfLink?: string;
}
