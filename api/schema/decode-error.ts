/** The error for a value that does not fit its schema. Its message is the one that Go's decoder gives. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}

/**
 * The message of the 400 that upstream answers for a body that does not decode, e.g. `Deployment in version "v1" cannot
 * be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
 */
export function formatDecodeFailure(kind: { readonly kind: string; readonly version: string }, wantedKind: string, reason: string): string {
  return `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${wantedKind}: ${reason}`;
}

/** The error of fieldValidation=Strict for the warnings that Warn would give: `strict decoding error: unknown field "spec.foo"`. */
export function formatStrictFailure(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`;
}
