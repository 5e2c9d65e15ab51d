import type { IncomingMessage } from 'node:http';

/** The answer to a request that is none of HTTP/1, in the words of Go's server. */
export function plainRefusal(reason: string): string {
  return `HTTP/1.1 ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${reason}`;
}

const unsupportedVersion = '505 HTTP Version Not Supported: unsupported protocol version';

/**
 * The reason to refuse a request of a connection that speaks HTTP/1: a version that is another protocol, or HTTP/1.1 without
 * the host that it requires. undefined: there is none. node's parser takes HTTP/0.9 and HTTP/2.0 for HTTP/1.1.
 */
export function findRefusal({ httpVersion, headers }: Pick<IncomingMessage, 'httpVersion' | 'headers'>): string | undefined {
  // A request line without a version reads as 0.9, too.
  if (httpVersion === '0.9') return '400 Bad Request';
  if (!httpVersion.startsWith('1.')) return unsupportedVersion;
  return httpVersion === '1.1' && headers.host === undefined ? '400 Bad Request: missing required Host header' : undefined;
}

/** The reason to refuse bytes that node's parser could not read as a request. */
export function reasonOf({ code, rawPacket }: { readonly code?: string; readonly rawPacket?: Uint8Array }): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    case 'HPE_INVALID_VERSION':
      return hasOtherVersion(rawPacket ?? new Uint8Array()) ? unsupportedVersion : '400 Bad Request';
    default:
      return '400 Bad Request';
  }
}

const longestRequestLine = 128 * 1024;

/** Whether the version that was not understood is one at all: HTTP/3.0 is, HTTP/2 is not. */
function hasOtherVersion(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, longestRequestLine)).toString('latin1');
  return /^[^\n]* HTTP\/[02-9]\.\d\r?$/m.test(text.slice(0, text.indexOf('\n') + 1));
}
