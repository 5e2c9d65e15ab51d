import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createHTTPTransport, type HTTPTransport } from '../../../api/client/http-transport.ts';
import type { Transport } from '../../../api/client/transport.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { ClusterAccess } from '../../linux/files/read-kubeconfig.ts';
import type { IssuedCertificate } from './request-certificate.ts';
import { isOfNode } from './certificate-life.ts';
import { obtainCertificate, readCertificate, rotateCertificate } from './rotating-certificate.ts';

export interface NodeTransportOptions {
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
  /** Ends with the signal. */
  readonly rotating: Promise<void>;
  close(): void;
}

/**
 * The way to the API server as this node: with the certificate that it was given before, or a first one that it asks for
 * with a bootstrap token (TLS bootstrapping). The certificate is replaced before it ends; connections made with the old one
 * are closed then, and what ran on them starts anew.
 */
export async function createNodeTransport(options: NodeTransportOptions, signal: AbortSignal): Promise<NodeTransport> {
  const { bootstrap, nodeName, certificateDirectory, clock } = options;
  const { server, ca, token } = bootstrap;
  const authority = ca === undefined ? {} : { ca };
  const connect = ({ certificate, key }: IssuedCertificate) => createHTTPTransport({ server, ...authority, certificate, key, clock });
  const own = {
    ...options,
    file: `${certificateDirectory}/kubelet-client-current.pem`,
    wish: { nodeName, signerName: 'kubernetes.io/kube-apiserver-client-kubelet' as const },
  };
  let first = await readCertificate(own);
  // The machine may have been given another name since.
  if (first === undefined || !isOfNode(first, nodeName)) {
    const http = createHTTPTransport({ server, ...authority, token: () => token, clock });
    try {
      first = await obtainCertificate({ ...own, client: createClient(http.transport) }, signal);
    } finally {
      http.close();
    }
  }
  let current: HTTPTransport = connect(first);
  const transport: Transport = (request) => current.transport(request);
  const replace = (issued: IssuedCertificate) => {
    const old = current;
    current = connect(issued);
    old.close();
  };
  return {
    transport,
    rotating: rotateCertificate({ ...own, client: createClient(transport) }, first, replace, signal),
    close: () => current.close(),
  };
}
