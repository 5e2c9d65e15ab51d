import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { commonNameType, encodeDistinguishedName } from '../../../api/semantics/certificates/distinguished-name.ts';
import { readCertificateSubject } from '../../../api/serialization/certificate-subject.ts';
import { derTags, encodeDER, encodeObjectIdentifier } from '../../../api/base/der.ts';
import { encodeCertificate } from '../encode-certificate.ts';

export interface Issued {
  readonly name: string;
  readonly der: Uint8Array;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface CertificateOptions {
  readonly issuer?: Issued;
  readonly isCA?: boolean;
  readonly pathLength?: number;
  /** Dotted; absent: no extension. */
  readonly usages?: readonly string[];
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Further extensions, in DER. */
  readonly extensions?: readonly Uint8Array[];
  readonly subject?: Uint8Array;
  /** How it names its issuer; absent: as the issuer names itself. */
  readonly issuerName?: Uint8Array;
}

export function encodeExtension(type: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [encodeDER(0x01, Uint8Array.of(0xff))] : [];
  return encodeDER(derTags.sequence, encodeObjectIdentifier(type), ...critical, encodeDER(derTags.octetString, value));
}

let serial = 0x1000;

/** A certificate of a new key, self-signed without an issuer. */
export function issue(name: string, options: CertificateOptions): Issued {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { issuer, isCA = false, pathLength, usages, extensions = [] } = options;
  const subject = encodeDistinguishedName([{ type: commonNameType, value: name }]);
  const constraints = [
    ...(isCA ? [encodeDER(0x01, Uint8Array.of(0xff))] : []),
    ...(pathLength === undefined ? [] : [encodeDER(derTags.integer, Uint8Array.of(pathLength))]),
  ];
  const der = encodeCertificate({
    serialNumber: (serial++).toString(16),
    issuer: options.issuerName ?? (issuer ? readCertificateSubject(issuer.der) : subject),
    subject: options.subject ?? subject,
    publicKeyInfo: keys.publicKey.export({ format: 'der', type: 'spki' }),
    notBeforeMs: options.validFromMs,
    notAfterMs: options.validToMs,
    extensions: [
      encodeExtension('2.5.29.19', encodeDER(derTags.sequence, ...constraints), true),
      ...(usages ? [encodeExtension('2.5.29.37', encodeDER(derTags.sequence, ...usages.map(encodeObjectIdentifier)))] : []),
      ...extensions,
    ],
    signingKey: issuer?.key ?? keys.privateKey,
  });
  return { name, der, certificate: new X509Certificate(der), key: keys.privateKey };
}
