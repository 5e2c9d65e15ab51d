import { readDER, readDERElements } from '../../api/serialization/der.ts';

/** The subject of a certificate (DER), as it was written. */
export function readSubject(certificate: Uint8Array): Uint8Array {
  const [body] = readDERElements(readDER(certificate).content);
  const fields = body ? readDERElements(body.content) : [];
  // The version, the first field, is optional.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (!subject) throw new Error('the certificate has no subject');
  return subject.raw;
}
