/** The error of a call that the runtime refused, or that did not reach it. Its message is shown in events and statuses. */
export class CRIError extends Error {
  /** Name of the gRPC status, e.g. NotFound. */
  readonly code: string;
  /** The runtime's own words. */
  readonly details: string;
  constructor(code: string, details: string) {
    super(`rpc error: code = ${code} desc = ${details}`);
    this.name = 'CRIError';
    this.code = code;
    this.details = details;
  }
}

const names = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** The CRIError for whatever a gRPC call threw. */
export function interpretCRIError(error: unknown): CRIError {
  if (error instanceof CRIError) return error;
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
    const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
    return new CRIError(names[error.code] ?? 'Unknown', details);
  }
  return new CRIError('Unknown', error instanceof Error ? error.message : String(error));
}

export function isCRINotFound(error: unknown): boolean {
  return error instanceof CRIError && error.code === 'NotFound';
}
