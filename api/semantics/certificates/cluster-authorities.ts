/** The ConfigMap from which nodes learn the authorities of their cluster. */
export const clusterAuthoritiesKey = { namespace: 'kube-system', name: 'kubets-cluster-authorities' };

/** PEM texts of several certificates. */
export interface ClusterAuthorities {
  /** All that are trusted. The first is the one that signs. */
  readonly trusted: string;
  /**
   * For each authority that came later, its name and key in a certificate by one that was there before. Who changes the
   * ConfigMap cannot make these, so that nodes believe no authority that the cluster has not vouched for.
   */
  readonly vouchers: string;
}

export function formatClusterAuthorities({ trusted, vouchers }: ClusterAuthorities): Record<string, string> {
  return { 'ca.crt': trusted, 'vouchers.crt': vouchers };
}

/** Undefined where no authority is named. */
export function parseClusterAuthorities(data: Readonly<Record<string, string>> | undefined): ClusterAuthorities | undefined {
  const trusted = data?.['ca.crt'] ?? '';
  return trusted.includes('-----BEGIN CERTIFICATE-----') ? { trusted, vouchers: data?.['vouchers.crt'] ?? '' } : undefined;
}

/** The annotation in which a node says whose certificates it trusts and uses. */
export const nodeCertificatesAnnotation = 'kubets.io/certificates';

/** SHA-256 fingerprints of authorities, hexadecimal. */
export interface NodeCertificates {
  readonly trusted: readonly string[];
  /** The authority of the certificate with which it asks the API server; '': none of these. */
  readonly client: string;
  /** The authority of the certificate that it serves with. */
  readonly serving: string;
}

export function formatNodeCertificates({ trusted, client, serving }: NodeCertificates): string {
  return JSON.stringify({ trusted, client, serving });
}

/** Undefined where a node says nothing, or nothing that can be read. */
export function parseNodeCertificates(text: string | undefined): NodeCertificates | undefined {
  try {
    const value: Partial<NodeCertificates> | null = JSON.parse(text ?? 'null');
    const { trusted, client, serving } = value ?? {};
    const isRead = Array.isArray(trusted) && trusted.every((one) => typeof one === 'string');
    return isRead && typeof client === 'string' && typeof serving === 'string' ? { trusted, client, serving } : undefined;
  } catch {
    return undefined;
  }
}
