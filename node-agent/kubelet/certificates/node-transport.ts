import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { createWatchedValue } from '../../../api/base/watched-value.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createHTTPTransport, type HTTPTransportSettings } from '../../../api/client/http-transport.ts';
import type { Transport } from '../../../api/client/transport.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { ClusterAccess } from '../../linux/files/read-kubeconfig.ts';
import type { IssuedCertificate } from './request-certificate.ts';
import { isOfNode } from './certificate-life.ts';
import { followAuthorities } from './follow-authorities.ts';
import type { NodeCredentials } from './node-credentials.ts';
import { createReplaceableTransport } from './replaceable-transport.ts';
import { obtainCertificate, readCertificate, rotateCertificate } from './rotating-certificate.ts';

interface NodeTransportOptions {
  /** The API server, and the token with which the first certificate is asked for. */
  readonly bootstrap: ClusterAccess;
  readonly nodeName: string;
  /** Absolute. */
  readonly certificateDirectory: string;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface NodeTransport {
  readonly transport: Transport;
  readonly credentials: NodeCredentials;
  close(): void;
}

/** The authorities that the cluster has published to the node since it joined. */
const authoritiesFile = 'cluster-ca.crt';

/**
 * The way to the API server as this node: with the certificate that it was given before, or a first one that it asks for
 * with a bootstrap token (TLS bootstrapping). The certificate is replaced before it ends, and when the cluster has another
 * authority, which the node learns from the cluster.
 */
export async function createNodeTransport(options: NodeTransportOptions, signal: AbortSignal): Promise<NodeTransport> {
  const { bootstrap, nodeName, certificateDirectory, clock, files } = options;
  const { server, token } = bootstrap;
  const known = await findAuthorities(options);
  const authorities = createWatchedValue(known ?? '');
  const authority = () => (authorities.get() === '' ? {} : { ca: authorities.get() });
  const own = {
    ...options,
    file: `${certificateDirectory}/kubelet-client-current.pem`,
    wish: { nodeName, signerName: 'kubernetes.io/kube-apiserver-client-kubelet' as const },
    authorities,
  };
  let current = await readCertificate(own);
  // The machine may have been given another name since.
  if (current === undefined || !isOfNode(current, nodeName)) {
    const http = createHTTPTransport({ server, ...authority(), token: () => token, clock });
    try {
      current = await obtainCertificate({ ...own, client: createClient(http.transport) }, signal);
    } finally {
      http.close();
    }
  }
  const first = current;
  const certificate = createWatchedValue<string | undefined>(first.certificate);
  const settings = ({ certificate: pem, key }: IssuedCertificate) => ({ server, ...authority(), certificate: pem, key });
  const connection = createReplaceableTransport(settings(first), { clock });
  let issued: IssuedCertificate = first;
  const replace = (next: IssuedCertificate) => {
    issued = next;
    connection.use(settings(next));
    certificate.set(next.certificate);
  };
  const client = createClient(connection.transport);
  const adopt = async (trusted: string) => {
    await requireReachable({ ...settings(issued), ca: trusted }, options);
    await files.write(`${certificateDirectory}/${authoritiesFile}`, trusted, { mode: 0o644 });
    authorities.set(trusted);
    connection.use(settings(issued));
  };
  return {
    transport: connection.transport,
    credentials: {
      authorities,
      client: certificate,
      async run(until) {
        await Promise.all([
          rotateCertificate({ ...own, client }, first, replace, until),
          followAuthorities({ ...options, client, trusted: authorities.get, adopt }, until),
        ]);
      },
    },
    close: () => connection.close(),
  };
}

/** The authorities of the cluster's last answer, or those that the node joined with. */
async function findAuthorities({ bootstrap, certificateDirectory, files }: NodeTransportOptions): Promise<string | undefined> {
  const text = await files.findText(`${certificateDirectory}/${authoritiesFile}`);
  return text?.includes('-----BEGIN CERTIFICATE-----') ? text : bootstrap.ca;
}

/** Rejects where the API server does not prove itself to who trusts these authorities alone. */
async function requireReachable(settings: Omit<HTTPTransportSettings, 'clock'>, { clock }: NodeTransportOptions): Promise<void> {
  const http = createHTTPTransport({ ...settings, clock });
  try {
    await http.transport({ method: 'GET', path: '/version', query: '', headers: {}, signal: AbortSignal.timeout(probeMs) });
  } finally {
    http.close();
  }
}

const probeMs = 15_000;
