export interface DefaultContext {
  /** For the few defaults that are the present time; they stay unset where it is not given. */
  readonly nowMs?: number;
}

/**
 * Sets defaults that depend on other fields of the object. Runs before the constant defaults of the same definition. Modifies the object.
 */
export type ConditionalDefault = (object: never, context: DefaultContext) => void;

/** A group's conditional defaults by OpenAPI definition name. */
export type ConditionalDefaults = readonly (readonly [definition: string, apply: ConditionalDefault])[];

/** Unset as Go's nil or zero value is. */
export function isUnset(value: unknown): value is undefined | null | '' | 0 {
  return value === undefined || value === null || value === '' || value === 0;
}
