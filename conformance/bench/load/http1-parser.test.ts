import assert from 'node:assert/strict';
import { HTTP1Parser } from './http1-parser.ts';

/** The parsed answers when the bytes come `step` at a time. */
function parse(text: string, step: number): string[] {
  const told: string[] = [];
  const parser = new HTTP1Parser({
    onStatus: (status) => void told.push(`${status} `),
    onData: (data, start, end) => void (told[told.length - 1] += data.toString('latin1', start, end)),
    onEnd: () => void (told[told.length - 1] += '.'),
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += step) {
    // The slice is longer than the new bytes, as in a buffer that is used again.
    const part = Buffer.concat([bytes.subarray(at, at + step), Buffer.from('\r\n0\r\n')]);
    parser.read(part, Math.min(step, bytes.length - at));
  }
  return told;
}

describe('HTTP/1.1 answers', () => {
  const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab\ncd';
  const chunked = 'HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n3\r\na\nb\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nT: 1\r\n\r\n';
  const empty = 'HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n';
  const none = 'HTTP/1.1 204 No Content\r\n\r\n';
  for (const step of [1, 2, 3, 7, 1000])
    it(`are told apart when ${step} bytes come at a time`, () =>
      assert.deepEqual(parse(plain + chunked + empty + none + plain, step), [
        '200 ab\ncd.',
        '201 a\nb0123456789abcdef.',
        '409 .',
        '204 .',
        '200 ab\ncd.',
      ]));
});
