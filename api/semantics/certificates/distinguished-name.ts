import { DERError, derTags, encodeDER, encodeObjectIdentifier, readDER, readDERElements, readObjectIdentifier } from '../../base/der.ts';

/** One attribute of a distinguished name (RFC 5280 4.1.2.4): its type as dotted text, and its value as Go reads it. */
interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

export const commonNameType = '2.5.4.3';
export const organizationType = '2.5.4.10';

/** The attributes of a distinguished name (DER), in order. Throws DERError for input that Go's crypto/x509 rejects too. */
export function readDistinguishedName(der: Uint8Array): NameAttribute[] {
  const name = readDER(der);
  if (name.tag !== derTags.sequence) throw new DERError('invalid RDNSequence');
  return readDERElements(name.content).flatMap((set) => {
    if (set.tag !== derTags.set) throw new DERError('invalid RDNSequence');
    return readDERElements(set.content).map((attribute) => {
      const [type, value, extra] = attribute.tag === derTags.sequence ? readDERElements(attribute.content) : [];
      if (type === undefined || value === undefined || extra) throw new DERError('invalid RDNSequence: invalid attribute');
      return { type: readObjectIdentifier(type), value: readString(value.tag, value.content) };
    });
  });
}

/** Encodes a distinguished name in which every relative name has one attribute, each a UTF8String. */
export function encodeDistinguishedName(attributes: readonly NameAttribute[]): Uint8Array {
  const encoder = new TextEncoder();
  return encodeDER(
    derTags.sequence,
    ...attributes.map(({ type, value }) =>
      encodeDER(
        derTags.set,
        encodeDER(derTags.sequence, encodeObjectIdentifier(type), encodeDER(derTags.utf8String, encoder.encode(value))),
      ),
    ),
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });

function readString(tag: number, content: Uint8Array): string {
  switch (tag) {
    case derTags.utf8String:
      return decode(utf8, content, 'UTF-8 string');
    case derTags.printableString:
      return matching(content, /^[A-Za-z0-9 '()+,\-./:=?*&]*$/, 'PrintableString');
    case derTags.ia5String:
      return matching(content, /^[\0-\x7f]*$/, 'IA5String');
    case derTags.numericString:
      return matching(content, /^[0-9 ]*$/, 'NumericString');
    case derTags.t61String:
      return latin1(content);
    case derTags.bmpString:
      return readBMPString(content);
    default:
      throw new DERError(`invalid RDNSequence: invalid attribute value: unsupported string type: ${tag}`);
  }
}

/** Surrogates have no place in a BMPString; a terminating zero is no part of the value. */
function readBMPString(content: Uint8Array): string {
  const hasEnd = content.length >= 2 && content.at(-1) === 0 && content.at(-2) === 0;
  const text = decode(utf16, hasEnd ? content.subarray(0, -2) : content, 'BMPString');
  if (/[\ud800-\udfff]/.test(text)) throw invalid('BMPString');
  return text;
}

function decode(decoder: TextDecoder, content: Uint8Array, type: string): string {
  try {
    return decoder.decode(content);
  } catch {
    throw invalid(type);
  }
}

function matching(content: Uint8Array, pattern: RegExp, type: string): string {
  const text = latin1(content);
  if (!pattern.test(text)) throw invalid(type);
  return text;
}

function latin1(content: Uint8Array): string {
  return Array.from(content, (byte) => String.fromCharCode(byte)).join('');
}

function invalid(type: string): DERError {
  return new DERError(`invalid RDNSequence: invalid attribute value: invalid ${type}`);
}
