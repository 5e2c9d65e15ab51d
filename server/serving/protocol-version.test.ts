import assert from 'node:assert/strict';
import { findRefusal, reasonOf } from './protocol-version.ts';

describe('the protocol of a request', () => {
  const host = { host: 'x' };
  const refused: [httpVersion: string, headers: { host?: string }, reason: RegExp | undefined][] = [
    ['1.1', host, undefined],
    ['1.0', {}, undefined],
    ['1.1', {}, /^400 Bad Request: missing required Host header$/],
    ['0.9', host, /^400 Bad Request$/],
    ['2.0', host, /^505 HTTP Version Not Supported: unsupported protocol version$/],
  ];
  for (const [httpVersion, headers, reason] of refused)
    it(`HTTP/${httpVersion} ${JSON.stringify(headers)}: ${reason?.source ?? 'taken'}`, () => {
      const found = findRefusal({ httpVersion, headers });
      if (reason === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', reason);
    });

  const unread: [code: string, text: string, reason: string][] = [
    ['HPE_INVALID_VERSION', 'GET / HTTP/3.0\r\nHost: x\r\n\r\n', '505 HTTP Version Not Supported: unsupported protocol version'],
    ['HPE_INVALID_VERSION', 'GET / HTTP/2\r\nHost: HTTP/3.0\r\n\r\n', '400 Bad Request'],
    ['HPE_INVALID_VERSION', 'GET / HTTP/1.1\nHost: x\n\n', '400 Bad Request'],
    ['HPE_INVALID_VERSION', '', '400 Bad Request'],
    ['HPE_INVALID_METHOD', 'X / HTTP/3.0\r\n\r\n', '400 Bad Request'],
    ['HPE_HEADER_OVERFLOW', '', '431 Request Header Fields Too Large'],
  ];
  for (const [code, text, reason] of unread)
    it(`${code} of ${JSON.stringify(text)}: ${reason}`, () => assert.equal(reasonOf({ code, rawPacket: Buffer.from(text) }), reason));
});
