import assert from 'node:assert/strict';
import { encodeHeaders, type Header, HeaderDecoder, HPACKError } from './hpack.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** RFC 7541 appendix C: three blocks each, read by one decoder. */
const examples: Readonly<Record<string, readonly (readonly [hex: string, headers: readonly Header[]])[]>> = {
  'C.3 requests without Huffman codes': [
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ],
    ],
    [
      '8286 84be 5808 6e6f 2d63 6163 6865',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
        ['cache-control', 'no-cache'],
      ],
    ],
  ],
  'C.4 requests with Huffman codes': [
    [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ],
    ],
    [
      '8286 84be 5886 a8eb 1064 9cbf',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
        ['cache-control', 'no-cache'],
      ],
    ],
    [
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/index.html'],
        [':authority', 'www.example.com'],
        ['custom-key', 'custom-value'],
      ],
    ],
  ],
};

describe('HPACK', () => {
  for (const [name, blocks] of Object.entries(examples)) {
    it(`reads the example ${name}`, () => {
      const decoder = new HeaderDecoder();
      for (const [hex, headers] of blocks) assert.deepEqual(decoder.decode(bytes(hex)), headers);
    });
  }

  it('forgets the oldest headers when the table is full (C.6)', () => {
    const decoder = new HeaderDecoder(256);
    decoder.decode(
      bytes(
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      ),
    );
    const second = decoder.decode(bytes('4883 640e ffc1 c0bf'));
    assert.deepEqual(second, [
      [':status', '307'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ]);
    // That made room for itself: :status 302 is gone, so the fourth entry of the table is no more.
    assert.throws(() => decoder.decode(bytes('c2')), HPACKError);
  });

  it('reads what it writes, twice the same', () => {
    const headers: Header[] = [
      [':method', 'POST'],
      [':path', `/${'x'.repeat(300)}`],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['empty', ''],
      ['latin', '\u00e9'],
    ];
    const block = encodeHeaders(headers);
    const decoder = new HeaderDecoder();
    assert.deepEqual(decoder.decode(block), headers);
    assert.deepEqual(decoder.decode(block), headers);
  });

  for (const [what, hex] of [
    ['an index that is not there', 'be'],
    ['index 0', '80'],
    ['a string that is cut short', '0085 aec3'],
    ['a number without end', 'ffff ffff ffff ffff'],
    ['a table larger than allowed', '3fe2 1f'],
    ['the code of the end of a string', '0084 ffff ffff 00'],
    ['padding of a whole byte', '0082 1fff 00'],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => new HeaderDecoder().decode(bytes(hex)), HPACKError));
  }
});
