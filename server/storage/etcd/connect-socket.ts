import { connect as connectTCP, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTLS } from 'node:tls';
import type { Clock } from '../../../api/base/clock.ts';
import type { EtcdTLS } from './etcd-tls.ts';

/** The milliseconds after which another server is tried if this one does not answer at all. */
const connectTimeoutMs = 3000;

interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: in the clear. */
  readonly tls: EtcdTLS | 'defaults' | undefined;
  readonly clock: Clock;
}

/** A connection for HTTP/2, with TLS to a server whose certificate names the host. */
export function connectSocket({ host, port, tls, clock }: SocketOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls
      ? connectTLS({ host, port, ...secured(tls === 'defaults' ? {} : tls, host) })
      : connectTCP({ host, port, noDelay: true });
    const timer = clock.setTimer(connectTimeoutMs, () => socket.destroy(new Error(`${host}:${port} does not answer`)));
    const onConnect = () => {
      timer.cancel();
      socket.off('error', onError);
      socket.setNoDelay(true);
      resolve(socket);
    };
    const onError = (error: Error) => {
      timer.cancel();
      reject(error);
    };
    socket.once('error', onError);
    socket.once(tls ? 'secureConnect' : 'connect', onConnect);
  });
}

function secured(tls: Partial<EtcdTLS>, host: string) {
  const buffer = (pem: Uint8Array | undefined) => (pem ? Buffer.from(pem) : undefined);
  return {
    ca: buffer(tls.certificateAuthority),
    cert: buffer(tls.certificate),
    key: buffer(tls.key),
    ALPNProtocols: ['h2'],
    // TLS knows no IP addresses as server names; whom the certificate names is checked all the same.
    ...(isIP(host) ? {} : { servername: host }),
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) => checkServerIdentity(host, certificate),
  };
}
