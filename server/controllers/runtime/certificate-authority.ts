import type { CertificateRequest } from '../../../api/semantics/certificates/certificate-request.ts';

/** The cluster's CA, as far as controllers use it. */
export interface CertificateAuthority {
  /**
   * The certificate, in PEM, with the subject, the alternative names and the key of the request, octet by octet. Rejects
   * with CertificateRequestError where the request is not signed by its key or programs would read its names differently.
   */
  sign(request: CertificateRequest, terms: CertificateTerms): Promise<string>;
}

export interface CertificateTerms {
  /** In the words of the certificates API: `client auth`, `digital signature`, ... */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  /** Cut to the life of the CA. */
  readonly notAfterMs: number;
}
