/** The content of a certificate; who signs it and when is decided elsewhere. */
export interface CertificateSpec {
  readonly commonName: string;
  /** Groups, for a client certificate. */
  readonly organizations?: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly validityDays: number;
}

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPairPEM {
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

/** A pair that signs certificates. */
export interface AuthorityPEM extends KeyPairPEM {
  /** The authority's certificates: the first one signs, the others are trusted as well. */
  readonly certificatePEM: string;
  /**
   * Certificates that follow each certificate that it signs, for clients that do not know it yet: its own certificate by another authority.
   */
  readonly chainPEM?: string;
}

export const leafDays = 365;

/** The user that the API server is towards kubelets. */
export const kubeletClientName = 'kube-apiserver-kubelet-client';

/** The serving certificate: every name and address under which pods and people reach the API server. */
export function serverCertificate(options: {
  readonly clusterDomain: string;
  readonly serviceAddresses: readonly string[];
  readonly hostNames: readonly string[];
  readonly addresses: readonly string[];
}): CertificateSpec {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${options.clusterDomain}`];
  return {
    commonName: 'kube-apiserver',
    usages: ['server'],
    dnsNames: [...new Set([...service, 'localhost', ...options.hostNames])],
    addresses: [...new Set([...options.serviceAddresses, '127.0.0.1', '::1', ...options.addresses])],
    validityDays: leafDays,
  };
}

/** A user `commonName` in the groups `organizations`. */
export function clientCertificate(commonName: string, organizations: readonly string[] = []): CertificateSpec {
  return { commonName, organizations, usages: ['client'], validityDays: leafDays };
}

/** The kubelet of a node: client of the API server, and server of logs, exec and the like. */
export function nodeClientCertificate(nodeName: string): CertificateSpec {
  return clientCertificate(`system:node:${nodeName}`, ['system:nodes']);
}

/** The serving certificate of a kubelet; the API server checks it against the cluster's CA. */
export function nodeServingCertificate(nodeName: string, hostNames: readonly string[], addresses: readonly string[]): CertificateSpec {
  return {
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usages: ['server'],
    dnsNames: [...new Set([nodeName, ...hostNames])],
    addresses,
    validityDays: leafDays,
  };
}
