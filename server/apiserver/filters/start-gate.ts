import type { Transport } from '../../../api/client/transport.ts';

export interface StartGate {
  /** Lets all requests pass from now on. */
  open(): void;
  /** Makes requests from outside wait until the gate is open, except probes; the server's own requests pass. */
  guard(transport: Transport): Transport;
}

/** The paths of probes, which must learn that the server is not ready. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/**
 * The port is open before roles and bindings have been read. Until then every request would be forbidden, and clients would take that for
 * the final answer.
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
