import type { Transport } from '../../../api/client/transport.ts';

export interface StartGate {
  /** Lets everyone in. */
  open(): void;
  /** Lets requests from outside wait until it is open, but for probes; the server itself goes through. */
  guard(transport: Transport): Transport;
}

/** The paths of probes, which must learn that the server is not ready. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/**
 * The socket is there before roles and bindings have been read, and until then everybody would be told that all is
 * forbidden, which clients take for the last word.
 */
export function createStartGate(): StartGate {
  let isOpen = false;
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  return {
    open() {
      isOpen = true;
      resolve();
    },
    guard: (transport) => (request) =>
      isOpen || request.peer === undefined || probes.has(request.path) ? transport(request) : opened.then(() => transport(request)),
  };
}
