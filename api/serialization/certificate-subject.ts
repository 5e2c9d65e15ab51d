import { DERError, readDER, readDERElements } from '../base/der.ts';

/** The subject of a certificate (DER), as it was written. Throws DERError. */
export function readCertificateSubject(certificate: Uint8Array): Uint8Array {
  return readField(certificate, 4, 'subject');
}

/** How a certificate (DER) names its issuer, as it was written. Throws DERError. */
export function readCertificateIssuer(certificate: Uint8Array): Uint8Array {
  return readField(certificate, 2, 'issuer');
}

function readField(certificate: Uint8Array, index: number, what: string): Uint8Array {
  const [body] = readDERElements(readDER(certificate).content);
  const fields = body ? readDERElements(body.content) : [];
  // The version, the first field, is optional.
  const field = fields[fields[0]?.tag === 0xa0 ? index + 1 : index];
  if (!field) throw new DERError(`structure error: the certificate has no ${what}`);
  return field.raw;
}
