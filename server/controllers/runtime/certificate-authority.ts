/** What a certificate signing request (PKCS #10) says about its holder-to-be. */
export interface CertificateRequestFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly addresses: readonly string[];
  readonly uris: readonly string[];
}

/** The cluster's CA, as far as controllers use it. */
export interface CertificateAuthority {
  /** Rejects what is no request, with Go's kind of words. PEM. */
  parse(requestPEM: string): Promise<CertificateRequestFacts>;
  /** The certificate, in PEM, for the names and the key of the request. Rejects a request that its key has not signed. */
  sign(requestPEM: string, terms: CertificateTerms): Promise<string>;
}

export interface CertificateTerms {
  /** In the words of the certificates API: `client auth`, `digital signature`, ... */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  /** Cut to the life of the CA. */
  readonly notAfterMs: number;
}
