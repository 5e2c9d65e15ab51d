import { quote } from '../../base/quote.ts';

/** The parts of a URL as Go's net/url names them. */
export interface ParsedURL {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly escapedPath: string;
  /** Without the question mark. */
  readonly query: string;
}

export class URLError extends Error {
  override readonly name = 'URLError';
  constructor(text: string, problem: string) {
    super(`parse ${quote(text)}: ${problem}`);
  }
}

/**
 * Reads an absolute URL or an absolute path, as Go's url.ParseRequestURI accepts them (the WHATWG parser of JavaScript
 * accepts and changes much more). A fragment is cut off. Throws URLError.
 */
export function parseRequestURI(text: string): ParsedURL {
  if (text === '') throw new URLError(text, 'empty url');
  if (/\p{Cc}/u.test(text.replace(/[\u0080-\u009f]/g, ''))) throw new URLError(text, 'net/url: invalid control character in URL');
  const { scheme, rest } = splitScheme(text);
  const fragment = rest.indexOf('#');
  const plain = fragment < 0 ? rest : rest.slice(0, fragment);
  const question = plain.indexOf('?');
  const beforeQuery = question < 0 ? plain : plain.slice(0, question);
  const query = question < 0 ? '' : plain.slice(question + 1);
  const none = { text, scheme, host: '', hostname: '', port: '', query };
  if (!beforeQuery.startsWith('/')) {
    if (scheme !== '') return { ...none, escapedPath: '' };
    throw new URLError(text, 'invalid URI for request');
  }
  const hasAuthority = beforeQuery.startsWith('//') && (scheme !== '' || !beforeQuery.startsWith('///')) && scheme !== '';
  if (!hasAuthority) return { ...none, escapedPath: escapedPath(text, beforeQuery) };
  const slash = beforeQuery.indexOf('/', 2);
  const authority = slash < 0 ? beforeQuery.slice(2) : beforeQuery.slice(2, slash);
  const path = slash < 0 ? '' : beforeQuery.slice(slash);
  return { ...none, ...splitHost(text, authority), escapedPath: escapedPath(text, path) };
}

function splitScheme(text: string): { scheme: string; rest: string } {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (match?.[1] !== undefined) return { scheme: match[1].toLowerCase(), rest: text.slice(match[0].length) };
  if (text.startsWith(':')) throw new URLError(text, 'missing protocol scheme');
  if (/^[^/?#]*:/.test(text) && !/^[A-Za-z]/.test(text)) throw new URLError(text, 'first path segment in URL cannot contain colon');
  return { scheme: '', rest: text };
}

function splitHost(text: string, authority: string): Pick<ParsedURL, 'host' | 'hostname' | 'port'> {
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) throw new URLError(text, 'net/url: invalid userinfo');
  const host = authority.slice(at + 1);
  const bracket = host.startsWith('[') ? host.lastIndexOf(']') : -1;
  if (host.startsWith('[') && bracket < 0) throw new URLError(text, "missing ']' in host");
  const colon = bracket >= 0 ? (host[bracket + 1] === ':' ? bracket + 1 : -1) : host.lastIndexOf(':');
  const rest = bracket >= 0 ? host.slice(bracket + 1) : colon < 0 ? '' : host.slice(colon);
  if (!/^(:\d*)?$/.test(rest)) throw new URLError(text, `invalid port ${quote(rest)} after host`);
  const name = bracket >= 0 ? host.slice(0, bracket + 1) : colon < 0 ? host : host.slice(0, colon);
  const bad = /[ "<>\\^`{|}]/.exec(name);
  if (bad !== null) throw new URLError(text, `invalid character ${quote(bad[0])} in host name`);
  checkEscapes(text, name);
  return { host, hostname: bracket >= 0 ? host.slice(1, bracket) : name, port: rest.slice(1) };
}

function checkEscapes(text: string, part: string): void {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(part);
  if (wrong !== null) throw new URLError(text, `invalid URL escape ${quote(wrong[0])}`);
}

/** The path as it was written, where that is a valid spelling of it; else escaped. */
function escapedPath(text: string, path: string): string {
  checkEscapes(text, path);
  if (/^[A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]*$/.test(path)) return path;
  const encoder = new TextEncoder();
  return path.replace(/[^A-Za-z0-9\-._~$&+,/:;=@%]/gu, (character) =>
    [...encoder.encode(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Whether a text is a URL as `parseRequestURI` reads it. */
export function isRequestURI(text: string): boolean {
  try {
    parseRequestURI(text);
    return true;
  } catch (error) {
    if (error instanceof URLError) return false;
    throw error;
  }
}
