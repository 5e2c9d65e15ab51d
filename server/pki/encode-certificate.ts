import { type KeyObject, sign } from 'node:crypto';
import { derTags, encodeDER, encodeObjectIdentifier } from '../../api/base/der.ts';
import { toDate } from '../../api/meta/time.ts';

/** Fields of a certificate (RFC 5280 4.1). Names, key and extensions are DER and go into it as they are. */
interface CertificateFields {
  /** Hexadecimal, positive. */
  readonly serialNumber: string;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: readonly Uint8Array[];
  readonly signingKey: KeyObject;
}

/** A signed certificate, DER. */
export function encodeCertificate(fields: CertificateFields): Uint8Array {
  const key = fields.signingKey;
  const algorithm = signatureAlgorithmOf(key);
  const body = encodeDER(
    derTags.sequence,
    encodeDER(0xa0, encodeDER(derTags.integer, Uint8Array.of(2))),
    encodeDER(derTags.integer, Buffer.from(fields.serialNumber, 'hex')),
    algorithm,
    fields.issuer,
    encodeDER(derTags.sequence, encodeTime(fields.notBeforeMs), encodeTime(fields.notAfterMs)),
    fields.subject,
    fields.publicKeyInfo,
    encodeDER(0xa3, encodeDER(derTags.sequence, ...fields.extensions)),
  );
  const signature = sign('sha256', body, key);
  return encodeDER(derTags.sequence, body, algorithm, encodeDER(derTags.bitString, Uint8Array.of(0), signature));
}

function signatureAlgorithmOf(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType === 'ec') return encodeDER(derTags.sequence, encodeObjectIdentifier('1.2.840.10045.4.3.2'));
  if (key.asymmetricKeyType === 'rsa')
    return encodeDER(derTags.sequence, encodeObjectIdentifier('1.2.840.113549.1.1.11'), encodeDER(derTags.null));
  throw new Error(`certificates are signed with keys of RSA or ECDSA, not of ${key.asymmetricKeyType}`);
}

/** Years have two digits until 2049 (RFC 5280 4.1.2.5). */
function encodeTime(timeMs: number): Uint8Array {
  const digits = toDate(timeMs)
    .toISOString()
    .replace(/[-:T]|\.\d+/g, '');
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return encodeDER(isShort ? derTags.utcTime : derTags.generalizedTime, Buffer.from(isShort ? digits.slice(2) : digits, 'latin1'));
}
