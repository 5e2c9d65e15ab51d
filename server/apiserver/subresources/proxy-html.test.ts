import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readBody } from '../../../api/client/read-body.ts';
import { HTMLRewriter, rewriteHTML } from './proxy-html.ts';
import { rewriteLink } from './proxy-location.ts';

const rewrite = (address: string) => rewriteLink(address, '/p/proxy', '10.0.0.7:80');

const cases: [string, string][] = [
  ['<a href="/x">t</a>', '<a href="/p/proxy/x">t</a>'],
  ["<A class=b HREF='/x/'>", "<A class=b HREF='/p/proxy/x/'>"],
  ['<img src=/x.png alt="/y">', '<img src=/p/proxy/x.png alt="/y">'],
  ['<a href="x">', '<a href="x">'],
  ['<a href="#top">', '<a href="#top">'],
  ['<a href="http://10.0.0.7:80/x">', '<a href="/p/proxy/x">'],
  ['<a href="http://elsewhere/x">', '<a href="http://elsewhere/x">'],
  ['<a href="//elsewhere/x">', '<a href="//elsewhere/x">'],
  ['<a href="/p/proxy/x">', '<a href="/p/proxy/x">'],
  ['<p title="/x">', '<p title="/x">'],
  ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="/p/proxy/y">'],
  ['<script src="/x">"<a href=\'/y\'>"</script><a href="/z">', '<script src="/p/proxy/x">"<a href=\'/y\'>"</script><a href="/p/proxy/z">'],
  ['1 < 2 <', '1 < 2 <'],
  ['<a href="/x', '<a href="/x'],
];

describe('HTML through a proxy', () => {
  for (const [input, output] of cases) {
    it(input, () => {
      assert.equal(new HTMLRewriter(rewrite).push(input, true), output);
      const piecemeal = new HTMLRewriter(rewrite);
      assert.equal([...input].map((character) => piecemeal.push(character)).join('') + piecemeal.push('', true), output);
    });
  }
  for (const [encoding, bytes] of Object.entries({ '': Buffer.from('<a href="/ä">'), gzip: gzipSync('<a href="/ä">') })) {
    it(`is read in the encoding '${encoding}'`, async () => {
      const headers = { 'content-type': 'text/html; charset=utf-8', 'content-length': String(bytes.length), 'content-encoding': encoding };
      const response = rewriteHTML({ status: 200, headers, body: { kind: 'bytes', bytes } }, rewrite);
      assert.equal(Buffer.from(await readBody(response.body)).toString(), '<a href="/p/proxy/ä">');
      assert.deepEqual(response.headers, { 'content-type': 'text/html; charset=utf-8' });
    });
  }
  it('leaves everything else as it is', () => {
    const response = { status: 200, headers: { 'content-type': 'text/plain' }, body: { kind: 'none' } } as const;
    assert.equal(rewriteHTML(response, rewrite), response);
  });
});
