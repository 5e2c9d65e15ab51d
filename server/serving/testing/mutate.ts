import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';

/** Texts that are wrong in most places. */
export const oddTexts: readonly string[] = [
  '',
  '0',
  '-1',
  '1',
  '999999999999999999999',
  '1.5',
  'NaN',
  'true',
  'null',
  '{}',
  '[]',
  '"',
  "'",
  '%',
  '%00',
  '%zz',
  '%2F',
  '..',
  '../../etc/passwd',
  '*',
  '?',
  '#',
  '&',
  ' ',
  '\t',
  '=',
  ',',
  '!',
  'a=b',
  'a in (b,c)',
  '!a',
  'a=b=c',
  '((',
  ')',
  'metadata.name=x',
  'spec.nodeName!=y',
  'metadata.nope=x',
  'äöü',
  '😀',
  '\u0000',
  '\u202e',
  'x'.repeat(300),
  'x'.repeat(9000),
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0',
  'All',
  'Orphan',
  'Strict',
  'NotOlderThan',
  'Exact',
  '0x10',
  '1e3',
  '-0',
  '2025-01-01T00:00:00Z',
  '1h',
  '-5s',
  '5',
  'application/json',
  'text/html',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
];

const oddJSON: readonly string[] = [
  'null',
  'true',
  '1',
  '-1',
  '1.0',
  '1.5',
  '1e400',
  '-0',
  '99999999999999999999999',
  '""',
  '"x"',
  '{}',
  '[]',
  '[null]',
  '[[]]',
  '{"a":null}',
  '{"__proto__":{"x":1}}',
  '{"":{}}',
  'NaN',
  '01',
  '"\\ud800"',
  '"\\u0000"',
  `"${'y'.repeat(5000)}"`,
  '['.repeat(2000),
  `${'['.repeat(500)}${']'.repeat(500)}`,
  `${'{"a":'.repeat(12_000)}1${'}'.repeat(12_000)}`,
  '1 2',
  '{"a":1,"a":2}',
  '{"a" 1}',
  '"',
];

export function randomBytes(random: Random, most: number): Buffer {
  return Buffer.from(random.bytes(randomInt(random, most)));
}

/** Changes, removes, adds or repeats a few of the bytes. */
export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  let result = Buffer.from(bytes);
  for (let change = 1 + randomInt(random, 4); change > 0; change--) {
    const at = randomInt(random, result.length + 1);
    const until = Math.min(result.length, at + randomInt(random, 40));
    const [before, middle, after] = [result.subarray(0, at), result.subarray(at, until), result.subarray(until)];
    switch (randomInt(random, 7)) {
      case 0:
        result = Buffer.concat([before, after]);
        break;
      case 1:
        result = Buffer.concat([before, randomBytes(random, 20), middle, after]);
        break;
      case 2:
        result = Buffer.concat([before, middle, middle, after]);
        break;
      case 3:
        result = Buffer.from(before);
        break;
      case 4:
        if (at < result.length) result[at] = (result[at] ?? 0) ^ (1 << randomInt(random, 8));
        break;
      case 5:
        result = Buffer.concat([before, Buffer.from(oneOf(random, oddTexts)), after]);
        break;
      default:
        if (at < result.length) result[at] = oneOf(random, [0, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a, 0x2c, 0xff, 0x80, 0x0a]);
    }
  }
  return result;
}

/** JSON in which some values have become others, most of them still JSON. */
export function mutateJSON(random: Random, json: string): string {
  const tokens = json.split(/("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/);
  for (let change = 1 + randomInt(random, 3); change > 0; change--) {
    const at = randomInt(random, tokens.length);
    tokens[at] =
      at % 2 === 1
        ? oneOf(random, oddJSON)
        : randomInt(random, 4) === 0
          ? oneOf(random, ['{', '}', '[', ']', ',', ':', ''])
          : (tokens[at] ?? '');
  }
  return tokens.join('');
}
