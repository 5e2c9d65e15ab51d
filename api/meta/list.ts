/** metav1.ListMeta */
export interface ListMetadata {
  resourceVersion?: string;
  /** Present where more pages follow: goes into the next request. */
  continue?: string;
  remainingItemCount?: number;
  selfLink?: string;
}
