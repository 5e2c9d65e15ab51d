import { remembering } from '../base/remembering.ts';

/** A media type that objects are read from and written in. */
export interface MediaType {
  readonly name: 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf';
  /** The Content-Type of a watch in this media type; absent if it cannot carry a watch. */
  readonly streamContentType?: string;
}

export const jsonMediaType: MediaType = { name: 'application/json', streamContentType: 'application/json;stream=watch' };
export const yamlMediaType: MediaType = { name: 'application/yaml' };

/** The media type of protobuf, for built-in kinds only; read and written by protobuf/protobuf.ts. */
export const protobufMediaType: MediaType = {
  name: 'application/vnd.kubernetes.protobuf',
  streamContentType: 'application/vnd.kubernetes.protobuf;stream=watch',
};

/** The media types of the server, the preferred one first. */
export const supportedMediaTypes: readonly MediaType[] = [jsonMediaType, yamlMediaType, protobufMediaType];

/** A media type or range with its parameters, from an Accept or Content-Type header. */
export interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  /** Lower-case names. Without `q`. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Splits at `separator` outside quoted strings. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && isQuoted) at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

/** All clients together send few different headers. */
const kept = { entries: 200, length: 300 };

/** Parses one media type with its parameters (RFC 9110, 8.3.1); undefined for other texts. */
export const findMediaRange: (text: string) => MediaRange | undefined = remembering(readMediaRange, kept);

function readMediaRange(text: string): MediaRange | undefined {
  const [name = '', ...rest] = split(text, ';').map((part) => part.trim());
  const [type = '', subtype = type === '*' ? '*' : '', ...more] = name.toLowerCase().split('/');
  if (type === '' || subtype === '' || more.length > 0 || /[\s,]/.test(name)) return undefined;
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    if (equals < 0) continue;
    const key = parameter.slice(0, equals).trim().toLowerCase();
    const value = unquote(parameter.slice(equals + 1).trim());
    if (key === 'q') quality = Number.isFinite(Number.parseFloat(value)) ? Number.parseFloat(value) : 1;
    else parameters.set(key, value);
  }
  return { type, subtype, parameters, quality };
}

/** The ranges of an Accept header, best first: by quality, then the more specific, then as listed. */
export const parseAccept: (header: string) => readonly MediaRange[] = remembering(readAccept, kept);

function readAccept(header: string): readonly MediaRange[] {
  const ranges = split(header, ',').flatMap((part) => readMediaRange(part.trim()) ?? []);
  const wildcards = (range: MediaRange) => (range.type === '*' ? 2 : range.subtype === '*' ? 1 : 0);
  return ranges.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

export function rangeIncludes({ type, subtype }: MediaRange, { name }: MediaType): boolean {
  const slash = name.indexOf('/');
  const isType = type === '*' || (type.length === slash && name.startsWith(type));
  return isType && (subtype === '*' || (name.length - slash - 1 === subtype.length && name.endsWith(subtype)));
}
