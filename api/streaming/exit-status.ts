/** The end of a command, as the error channel of exec reports it. */
export type ExitStatus =
  | { readonly type: 'success' }
  | { readonly type: 'exit-code'; readonly code: number }
  /** The command could not be run, or the connection to it broke. */
  | { readonly type: 'failure'; readonly message: string };

/** A Status without the fields that exec does not use, which protocols since v4 send. */
interface WireStatus {
  metadata?: object;
  status?: string;
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
  code?: number;
}

/** The one message of the error channel. Before v4 it is plain text, and nothing on success. */
export function encodeExitStatus(exit: ExitStatus, hasStatus: boolean): Uint8Array {
  if (hasStatus) return new TextEncoder().encode(JSON.stringify(toWireStatus(exit)));
  if (exit.type === 'success') return new Uint8Array(0);
  const text = exit.type === 'exit-code' ? exitMessage(exit.code) : exit.message;
  return new TextEncoder().encode(text);
}

function exitMessage(code: number): string {
  return `command terminated with non-zero exit code: exit status ${code}`;
}

function toWireStatus(exit: ExitStatus): WireStatus {
  switch (exit.type) {
    case 'success':
      return { metadata: {}, status: 'Success' };
    case 'exit-code':
      return {
        metadata: {},
        status: 'Failure',
        message: exitMessage(exit.code),
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(exit.code) }] },
      };
    case 'failure':
      return {
        metadata: {},
        status: 'Failure',
        message: `Internal error occurred: ${exit.message}`,
        reason: 'InternalError',
        details: { causes: [{ message: exit.message }] },
        code: 500,
      };
  }
}

/** Reads the content of the error channel. Text that is not a Status counts as a failure, no text as success. */
export function decodeExitStatus(data: Uint8Array): ExitStatus {
  const text = new TextDecoder().decode(data);
  if (text === '') return { type: 'success' };
  let status: WireStatus | null;
  try {
    status = JSON.parse(text) as WireStatus | null;
  } catch {
    return { type: 'failure', message: text };
  }
  if (typeof status !== 'object' || status === null) return { type: 'failure', message: text };
  if (status.status === 'Success') return { type: 'success' };
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  const code = Number(cause?.message);
  if (status.reason === 'NonZeroExitCode' && Number.isInteger(code)) return { type: 'exit-code', code };
  return { type: 'failure', message: status.message ?? text };
}
