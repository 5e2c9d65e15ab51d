import type { Clock } from '../../../api/base/clock.ts';
import { createHTTPTransport, type HTTPTransport, type HTTPTransportSettings } from '../../../api/client/http-transport.ts';
import type { Transport } from '../../../api/client/transport.ts';

/** A way to the API server whose credentials may be replaced. */
export interface ReplaceableTransport {
  readonly transport: Transport;
  /** For requests from now on. Those under way have a few seconds to end; then their connections are closed. */
  use(settings: Omit<HTTPTransportSettings, 'clock'>): void;
  close(): void;
}

const graceMs = 5000;

export function createReplaceableTransport(
  settings: Omit<HTTPTransportSettings, 'clock'>,
  { clock }: { readonly clock: Clock },
): ReplaceableTransport {
  let current: HTTPTransport = createHTTPTransport({ ...settings, clock });
  const retired = new Set<HTTPTransport>();
  return {
    transport: (request) => current.transport(request),
    use(next) {
      const old = current;
      current = createHTTPTransport({ ...next, clock });
      retired.add(old);
      clock.setTimer(graceMs, () => retired.delete(old) && old.close(), { background: true });
    },
    close() {
      for (const one of [current, ...retired]) one.close();
    },
  };
}
