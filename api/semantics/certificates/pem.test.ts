import assert from 'node:assert/strict';
import { readPEMBlocks } from './pem.ts';

describe('PEM blocks', () => {
  const read = (text: string) =>
    [...readPEMBlocks(text)].map(({ type, hasHeaders, bytes }) => [type, hasHeaders, Buffer.from(bytes).toString()]);
  const table: [name: string, text: string, expected: unknown[]][] = [
    ['nothing', '', []],
    ['one', '-----BEGIN A-----\nYQ==\n-----END A-----\n', [['A', false, 'a']]],
    ['without a newline at the end', '-----BEGIN A-----\nYQ==\n-----END A-----', [['A', false, 'a']]],
    ['CRLF', '-----BEGIN A-----\r\nYQ==\r\n-----END A-----\r\n', [['A', false, 'a']]],
    ['empty', '-----BEGIN A-----\n-----END A-----\n', [['A', false, '']]],
    [
      'several, and text between',
      'x\n-----BEGIN A-----\nYQ==\n-----END A-----\ny\n-----BEGIN B-----\nYg==\n-----END B-----\n',
      [
        ['A', false, 'a'],
        ['B', false, 'b'],
      ],
    ],
    ['headers', '-----BEGIN A-----\nx: y\nz: w\n\nYQ==\n-----END A-----\n', [['A', true, 'a']]],
    ['another end', '-----BEGIN A-----\nYQ==\n-----END B-----\n', []],
    ['no end', '-----BEGIN A-----\nYQ==\n', []],
    ['one begins in another', '-----BEGIN A-----\nYQ==\n-----BEGIN B-----\nYg==\n-----END B-----\n', [['B', false, 'b']]],
    ['not base64', '-----BEGIN A-----\n!!\n-----END A-----\n', []],
    ['begins within a line', 'x-----BEGIN A-----\nYQ==\n-----END A-----\n', []],
  ];
  for (const [name, text, expected] of table) it(name, () => assert.deepEqual(read(text), expected));

  it('are read in time that grows with the text', () => {
    const started = performance.now();
    assert.deepEqual(read('-----BEGIN A-----\n'.repeat(50_000)), []);
    assert.ok(performance.now() - started < 1000);
  });
});
