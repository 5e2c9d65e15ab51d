/** The ConfigMap from which nodes learn the authorities of their cluster. */
export const clusterAuthoritiesKey = { namespace: 'kube-system', name: 'kubets-cluster-authorities' };

/** PEM texts of several certificates. */
export interface ClusterAuthorities {
  /** All trusted authorities. The first one signs. */
  readonly trusted: string;
  /**
   * For each later authority, a certificate of its name and key that an earlier authority signed. Somebody who can only write the ConfigMap
   * cannot make these, so nodes trust only authorities that the cluster has vouched for.
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

/** The annotation in which a node names the authorities that it trusts and uses. */
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

/** Undefined where the annotation is absent or cannot be parsed. */
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
