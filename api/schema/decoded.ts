/** An object that was decoded by its schema. */
export interface Decoded {
  readonly object: Record<string, unknown>;
  /** Paths of fields that the schema does not know and that were dropped, e.g. `spec.containers[0].foo`; at most maxUnknownFields. */
  readonly unknownFields: readonly string[];
}

/** Upstream stops collecting after this many. */
export const maxUnknownFields = 100;
