import assert from 'node:assert/strict';
import { createRequestEncoder, readStatus } from './hpack.ts';

describe('the status of a block of headers', () => {
  const cases: [string, string, number | undefined][] = [
    ['indexed', '88', 200],
    ['indexed, after a change of the table', '2088', 200],
    ['in Huffman code', '08821003', 201],
    ['in Huffman code, with the last of the names', '0e82101f', 209],
    ['in plain text', '0803343039', 409],
    ['to be remembered', '4803343232', 422],
    ['not there, as in trailers', '400661622d63646501', undefined],
  ];
  for (const [what, block, status] of cases) it(`is read: ${what}`, () => assert.equal(readStatus(Buffer.from(block, 'hex')), status));
});

describe('the headers of a request', () => {
  it('are literals first and indexes later', () => {
    const encoder = createRequestEncoder('h:1', 'Bearer x');
    const first = encoder.encode('GET', '/', undefined);
    assert.equal(first.toString('latin1').includes('Bearer x'), true);
    // :method GET, :scheme https, :path / as a literal, then the three that the peer has put into its table
    assert.equal(encoder.encode('GET', '/', undefined).toString('hex'), '828704012fc0bfbe');
  });
});
