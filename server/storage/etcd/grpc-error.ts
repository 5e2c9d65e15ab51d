/** How a call has failed. */
export class GRPCError extends Error {
  override readonly name = 'GRPCError';
  /** google.rpc.Code */
  readonly code: number;
  /** False if the other side has certainly not begun with it. */
  readonly wasSent: boolean;

  constructor(code: number, details: string, wasSent: boolean) {
    super(`${code} ${codeNames[code] ?? 'UNKNOWN'}: ${details}`);
    this.code = code;
    this.wasSent = wasSent;
  }
}

const codeNames: Readonly<Record<number, string>> = {
  1: 'CANCELLED',
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  4: 'DEADLINE_EXCEEDED',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  11: 'OUT_OF_RANGE',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  15: 'DATA_LOSS',
  16: 'UNAUTHENTICATED',
};

export function unavailable(details: string, wasSent: boolean): GRPCError {
  return new GRPCError(14, details, wasSent);
}

/** The status of a call from its headers and trailers; undefined: all is well. */
export function statusFromHeaders(headers: ReadonlyMap<string, string>): GRPCError | undefined {
  const code = headers.get('grpc-status');
  if (code === '0') return undefined;
  if (code === undefined) return unavailable(`HTTP status ${headers.get(':status') ?? 'none'} and no status of the call`, true);
  return new GRPCError(Number(code), decodeMessage(headers.get('grpc-message') ?? ''), true);
}

/** Decodes percent-encoded UTF-8; text with wrong escapes is returned unchanged. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
