import https from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../../api/base/clock.ts';
import type { WatchedValue } from '../../api/base/watched-value.ts';
import type { Dialer, DialTarget } from '../apiserver/subresources/subresource.ts';
import { exchange, outgoingHeaders } from './exchange.ts';
import { addressCheck, checkedLookup } from './local-addresses.ts';
import { http } from './node-http.ts';

export interface DialerOptions {
  readonly clock: Clock;
  /** How the API server presents itself to kubelets. */
  readonly kubeletClient: WatchedValue<{ readonly certificatePEM: string; readonly keyPEM: string }>;
  /**
   * The authority of the kubelets' serving certificates. Absent: they are not verified, since kubelets sign their own unless they are
   * configured to request one.
   */
  readonly kubeletCAPEM?: WatchedValue<string>;
  /**
   * Whether an address and port are the API server's own: whoever controls a Node's status must not have the API server
   * call itself with the certificate that is meant for kubelets.
   */
  readonly isOwnEndpoint?: (address: string, port: number) => boolean;
  /** How long a connection may take to come about. */
  readonly connectTimeoutMs?: number;
}

export interface ClosableDialer extends Dialer {
  /** Closes idle connections. */
  close(): void;
}

/**
 * Makes the API server's own HTTP/1.1 requests to kubelets, pods and services. Redirects are not followed; credentials of the
 * user (authorization, impersonation and front proxy headers) are never passed on. Connections are kept for the next
 * request to the same place; those that switch protocols are not shared.
 */
export function createDialer(options: DialerOptions): ClosableDialer {
  const plain = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const insecure = new https.Agent({ keepAlive: true, maxSockets: 256, rejectUnauthorized: false });
  let kubelet = createKubeletAgent(options);
  const renew = () => {
    // Requests under way go on; their connections are not used again.
    retireAgent(kubelet);
    kubelet = createKubeletAgent(options);
  };
  options.kubeletClient.onChange(renew);
  options.kubeletCAPEM?.onChange(renew);
  const agentFor = (target: DialTarget) => (target.scheme === 'http' ? plain : target.kubelet ? kubelet : insecure);
  return {
    async send(target, request) {
      const isUpgrade = request.canUpgrade === true && request.headers['upgrade'] !== undefined;
      const { isOwnEndpoint } = options;
      const check = addressCheck({
        refuseLocal: target.refuseLocal,
        isRefused: target.kubelet && isOwnEndpoint ? (address) => isOwnEndpoint(address, target.port) : undefined,
      });
      if (isIP(target.host) !== 0) check?.(target.host);
      const connect = target.scheme === 'http' ? http.request : https.request;
      const outgoing = connect({
        host: target.host,
        port: target.port,
        method: request.method,
        path: request.query === '' ? request.path : `${request.path}?${request.query}`,
        headers: outgoingHeaders(target, request, isUpgrade),
        agent: agentFor(target),
        timeout: options.connectTimeoutMs ?? 30_000,
        signal: request.signal,
        ...(check ? { lookup: checkedLookup(check) } : {}),
      });
      return exchange(target, outgoing, request, isUpgrade, options.clock);
    },
    close() {
      for (const agent of [plain, insecure, kubelet]) agent.destroy();
    },
  };
}

function createKubeletAgent({ kubeletClient, kubeletCAPEM }: DialerOptions): https.Agent {
  const { certificatePEM: cert, keyPEM: key } = kubeletClient.get();
  return new https.Agent({
    keepAlive: true,
    maxSockets: 256,
    ...{ cert, key },
    ...(kubeletCAPEM === undefined ? { rejectUnauthorized: false } : { ca: kubeletCAPEM.get() }),
  });
}

/** Closes idle connections now, and the others as soon as they are idle. */
function retireAgent(agent: https.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
}
