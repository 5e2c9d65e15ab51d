import { declare, global, member } from './declare.ts';
import { boolType, type CELType, listType, mapType, objectType, stringType } from '../types/types.ts';
import { type CELValue, Failure, NativeList, NativeMap, type OpaqueValue } from '../types/values.ts';
import { isRequestURI, parseRequestURI, type ParsedURL, URLError } from './request-uri.ts';
import type { Library } from '../declarations.ts';

const urlType: CELType = objectType('kubernetes.URL');

class URLValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = urlType;
  readonly url: ParsedURL;
  constructor(url: ParsedURL) {
    this.url = url;
  }
  equals(other: CELValue): boolean {
    return other instanceof URLValue && other.url.text === this.url.text;
  }
}

function urlOfText(text: string): URLValue {
  try {
    return new URLValue(parseRequestURI(text));
  } catch (error) {
    if (error instanceof URLError) throw new Failure(`URL parse error during conversion from string: ${error.message}`);
    throw error;
  }
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** The query by key; parts that cannot be read are left out. */
function query({ url }: URLValue): NativeMap {
  const values = new Map<string, string[]>();
  for (const part of url.query.split('&')) {
    if (part === '' || part.includes(';')) continue;
    const equals = part.indexOf('=');
    const key = unescape(equals < 0 ? part : part.slice(0, equals));
    const value = unescape(equals < 0 ? '' : part.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return NativeMap.of([...values].map(([key, list]) => [key, new NativeList(list)] as const));
}

export const urlsLibrary: Library = {
  types: [urlType],
  functions: [
    declare('url', global('string_to_url', [stringType], urlType, urlOfText)),
    declare('isURL', global('is_url_string', [stringType], boolType, isRequestURI)),
    declare(
      'getScheme',
      member('url_get_scheme', [urlType], stringType, ({ url }: URLValue) => url.scheme),
    ),
    declare(
      'getHost',
      member('url_get_host', [urlType], stringType, ({ url }: URLValue) => url.host),
    ),
    declare(
      'getHostname',
      member('url_get_hostname', [urlType], stringType, ({ url }: URLValue) => url.hostname),
    ),
    declare(
      'getPort',
      member('url_get_port', [urlType], stringType, ({ url }: URLValue) => url.port),
    ),
    declare(
      'getEscapedPath',
      member('url_get_escaped_path', [urlType], stringType, ({ url }: URLValue) => url.escapedPath),
    ),
    declare('getQuery', member('url_get_query', [urlType], mapType(stringType, listType(stringType)), query)),
  ],
};
