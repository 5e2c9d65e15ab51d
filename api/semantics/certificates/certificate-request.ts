import { formatIP, type IPAddress } from '../../base/ip-address.ts';
import { DERError, type DERElement, derTags, readDER, readDERElements, readObjectIdentifier } from '../../base/der.ts';
import { readPEMBlocks } from './pem.ts';
import { commonNameType, organizationType, readDistinguishedName } from './distinguished-name.ts';

/** Names that a certificate signing request (PKCS #10) asks to have certified. */
export interface CertificateRequestFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  /** In canonical form (RFC 5952). */
  readonly addresses: readonly string[];
  readonly uris: readonly string[];
}

/** A certificate signing request: the names in it, and the octets that a certificate takes over unchanged. */
export interface CertificateRequest extends CertificateRequestFacts {
  /** The part that is signed (CertificationRequestInfo, RFC 2986). */
  readonly info: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  /** GeneralName elements of the kinds that Kubernetes passes on. */
  readonly alternativeNames: readonly Uint8Array[];
  readonly signatureAlgorithm: { readonly type: string; readonly parameters: DERElement | undefined };
  readonly signature: Uint8Array;
}

/** A request that cannot be read or must not be signed, however often it is tried. */
export class CertificateRequestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CertificateRequestError';
  }
}

const maxBytes = 256 * 1024;
const extensionRequestType = '1.2.840.113549.1.9.14';
export const alternativeNamesType = '2.5.29.17';

/** Reads the first PEM block of a text. Throws CertificateRequestError for another block, broken DER and more than one common name. */
export function parseCertificateRequest(pem: string): CertificateRequest {
  const [block] = readPEMBlocks(pem).take(1);
  if (block?.type !== 'CERTIFICATE REQUEST') throw new CertificateRequestError('PEM block type must be CERTIFICATE REQUEST');
  try {
    const der = block.bytes;
    if (der.length > maxBytes) throw new CertificateRequestError(`the request must not have more than ${maxBytes} bytes`);
    return readRequest(der);
  } catch (error) {
    if (error instanceof CertificateRequestError) throw error;
    if (error instanceof DERError) throw new CertificateRequestError(error.message);
    throw error;
  }
}

function readRequest(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature, extra] = childrenOf(readDER(der));
  if (!info || !algorithm || signature?.tag !== derTags.bitString || extra || signature.content[0] !== 0) throw malformed();
  const [version, subject, publicKeyInfo, ...attributes] = childrenOf(info);
  if (version?.tag !== derTags.integer || subject?.tag !== derTags.sequence || publicKeyInfo?.tag !== derTags.sequence) throw malformed();
  const [type, parameters] = childrenOf(algorithm);
  if (!type) throw malformed();
  const names = readDistinguishedName(subject.raw);
  const commonNames = names.filter((attribute) => attribute.type === commonNameType);
  // Programs differ in which of several they take for the user.
  if (commonNames.length > 1) throw new CertificateRequestError('subject must not have more than one common name');
  const alternativeNames = readAlternativeNames(attributes);
  return {
    commonName: commonNames[0]?.value ?? '',
    organizations: names.filter((attribute) => attribute.type === organizationType).map(({ value }) => value),
    ...factsOf(alternativeNames),
    info: info.raw,
    subject: subject.raw,
    publicKeyInfo: publicKeyInfo.raw,
    alternativeNames: alternativeNames.map(({ raw }) => raw),
    signatureAlgorithm: { type: readObjectIdentifier(type), parameters },
    signature: signature.content.subarray(1),
  };
}

/** Context-specific tags of GeneralName (RFC 5280 4.2.1.6). Names of other kinds (directory names, ...) are not passed on. */
const nameTags = { email: 0x81, dns: 0x82, uri: 0x86, address: 0x87 } as const;
const passedOn: ReadonlySet<number> = new Set(Object.values(nameTags));

function readAlternativeNames(attributes: readonly DERElement[]): DERElement[] {
  const requested = attributes
    .filter(({ tag }) => tag === 0xa0)
    .flatMap(({ content }) => readDERElements(content))
    .map(childrenOf)
    .filter(([type]) => type && readObjectIdentifier(type) === extensionRequestType)
    .flatMap(([, values]) => (values?.tag === derTags.set ? readDERElements(values.content) : []))
    .flatMap(childrenOf)
    .map(childrenOf);
  const found = requested.filter(([type]) => type && readObjectIdentifier(type) === alternativeNamesType);
  if (found.length > 1) throw new CertificateRequestError('certificate request contains duplicate requested extensions');
  const value = found[0]?.at(-1);
  return value?.tag === derTags.octetString ? readGeneralNames(value.content) : [];
}

/** The names of a subjectAltName extension that Kubernetes passes on. Throws DERError. */
export function readGeneralNames(extension: Uint8Array): DERElement[] {
  return childrenOf(readDER(extension)).filter(({ tag }) => passedOn.has(tag));
}

function factsOf(names: readonly DERElement[]): Pick<CertificateRequestFacts, 'dnsNames' | 'emailAddresses' | 'addresses' | 'uris'> {
  const texts = (wanted: number, what: string) =>
    names.flatMap(({ tag, content }) => {
      if (tag !== wanted) return [];
      if (content.some((byte) => byte > 0x7f)) throw new CertificateRequestError(`SAN ${what} is malformed`);
      return [new TextDecoder().decode(content)];
    });
  return {
    dnsNames: texts(nameTags.dns, 'dNSName'),
    emailAddresses: texts(nameTags.email, 'rfc822Name'),
    uris: texts(nameTags.uri, 'uniformResourceIdentifier'),
    addresses: names.filter(({ tag }) => tag === nameTags.address).map(({ content }) => formatIP(readAddress(content))),
  };
}

function readAddress(content: Uint8Array): IPAddress {
  if (content.length !== 4 && content.length !== 16)
    throw new CertificateRequestError(`cannot parse IP address of length ${content.length}`);
  const value = content.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { version: content.length === 4 ? 4 : 6, value };
}

function childrenOf(element: DERElement): DERElement[] {
  if (element.tag !== derTags.sequence) throw malformed();
  return readDERElements(element.content);
}

function malformed(): DERError {
  return new DERError('structure error: not a certificate request');
}
