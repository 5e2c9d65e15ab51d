import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { derTags, encodeDER, encodeObjectIdentifier } from '../../../api/base/der.ts';
import { formatPEM } from '../make-certificate.ts';

const { sequence, set, integer, bitString, octetString } = derTags;

/** An attribute of a subject: its dotted type, the tag of its string type, and the octets of its value. */
export interface RawAttribute {
  readonly type: string;
  readonly tag: number;
  readonly value: Uint8Array;
}

export interface RawRequest {
  /** Each a relative distinguished name. */
  readonly subject: readonly (readonly RawAttribute[])[];
  /** GeneralName elements: tag and content. */
  readonly names?: readonly { readonly tag: number; readonly value: Uint8Array }[];
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly algorithm?: 'ecdsa' | 'rsa' | 'pss' | 'ed25519';
}

const defaultKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export function encodeSubject(subject: RawRequest['subject']): Uint8Array {
  return encodeDER(
    sequence,
    ...subject.map((attributes) =>
      encodeDER(set, ...attributes.map(({ type, tag, value }) => encodeDER(sequence, encodeObjectIdentifier(type), encodeDER(tag, value)))),
    ),
  );
}

/** A PKCS #10 request in PEM with a subject of any encoding, signed by its key. */
export function encodeRequest({ subject, names = [], keys = defaultKeys, algorithm = 'ecdsa' }: RawRequest): string {
  const extension = encodeDER(
    sequence,
    encodeObjectIdentifier('2.5.29.17'),
    encodeDER(octetString, encodeDER(sequence, ...names.map(({ tag, value }) => encodeDER(tag, value)))),
  );
  const attributes = encodeDER(sequence, encodeObjectIdentifier('1.2.840.113549.1.9.14'), encodeDER(set, encodeDER(sequence, extension)));
  const info = encodeDER(
    sequence,
    encodeDER(integer, Uint8Array.of(0)),
    encodeSubject(subject),
    keys.publicKey.export({ format: 'der', type: 'spki' }),
    encodeDER(0xa0, ...(names.length === 0 ? [] : [attributes])),
  );
  const [identifier, signature] = signInfo(info, keys.privateKey, algorithm);
  return formatPEM('CERTIFICATE REQUEST', encodeDER(sequence, info, identifier, encodeDER(bitString, Uint8Array.of(0), signature)));
}

function signInfo(info: Uint8Array, key: KeyObject, algorithm: RawRequest['algorithm'] & {}): [Uint8Array, Uint8Array] {
  const identifier = (type: string, ...parameters: Uint8Array[]) => encodeDER(sequence, encodeObjectIdentifier(type), ...parameters);
  switch (algorithm) {
    case 'ecdsa':
      return [identifier('1.2.840.10045.4.3.2'), sign('sha256', info, key)];
    case 'rsa':
      return [identifier('1.2.840.113549.1.1.11', encodeDER(derTags.null)), sign('sha256', info, key)];
    case 'ed25519':
      return [identifier('1.3.101.112'), sign(null, info, key)];
    case 'pss': {
      const sha256 = identifier('2.16.840.1.101.3.4.2.1', encodeDER(derTags.null));
      const parameters = encodeDER(
        sequence,
        encodeDER(0xa0, sha256),
        encodeDER(0xa1, identifier('1.2.840.113549.1.1.8', sha256)),
        encodeDER(0xa2, encodeDER(integer, Uint8Array.of(32))),
      );
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
      return [identifier('1.2.840.113549.1.1.10', parameters), sign('sha256', info, { key, ...padding })];
    }
  }
}
