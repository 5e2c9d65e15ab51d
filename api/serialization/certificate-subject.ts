import { DERError, readDER, readDERElements } from './der.ts';

/** The subject of a certificate (DER), as it was written. Throws DERError. */
export function readCertificateSubject(certificate: Uint8Array): Uint8Array {
  const [body] = readDERElements(readDER(certificate).content);
  const fields = body ? readDERElements(body.content) : [];
  // The version, the first field, is optional.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (!subject) throw new DERError('structure error: the certificate has no subject');
  return subject.raw;
}
