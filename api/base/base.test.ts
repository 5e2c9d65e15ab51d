import assert from 'node:assert/strict';
import { AsyncQueue } from './async-queue.ts';
import { createBackoff } from './backoff.ts';
import { isEqual, isSemanticallyEqual, semanticText } from './equality.ts';
import { cidrContains, formatCIDR, formatIP, parseCIDR, parseIP } from './ip-address.ts';
import { quote } from './quote.ts';
import { repeatedIndexes } from './repeats.ts';
import { createSeededRandom } from './testing/seeded-random.ts';
import { compareUTF8, isLongerThan, utf8Length } from './utf8.ts';

describe('AsyncQueue', () => {
  it('delivers in order, also what came before the consumer, and then ends', async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    const all = Array.fromAsync(queue);
    queue.push(2);
    await Promise.resolve();
    queue.push(3);
    queue.end();
    assert.equal(queue.push(4), false);
    assert.deepEqual(await all, [1, 2, 3]);
  });
  it('fails after what was pushed', async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.fail(new Error('cut'));
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const value of queue) seen.push(value);
    }, /cut/);
    assert.deepEqual(seen, [1]);
  });
  it('tells when the consumer stops', async () => {
    let returned = 0;
    const queue = new AsyncQueue<number>({ onReturn: () => returned++ });
    queue.push(1);
    for await (const value of queue) if (value === 1) break;
    assert.equal(returned, 1);
    assert.equal(queue.push(2), false);
  });
});

describe('backoff', () => {
  it('doubles up to its limit', () => {
    const backoff = createBackoff({ initialMs: 10, maxMs: 50 }, createSeededRandom(1));
    assert.deepEqual([backoff.nextMs(), backoff.nextMs(), backoff.nextMs(), backoff.nextMs()], [10, 20, 40, 50]);
    backoff.reset();
    assert.equal(backoff.nextMs(), 10);
  });
});

describe('equality', () => {
  it('ignores the order of keys and absent ones', () => {
    assert.equal(isEqual({ a: 1, b: [{ c: undefined }] }, { b: [{}], a: 1 }), true);
    assert.equal(isEqual({ a: 1 }, { a: 1, b: null }), false);
    assert.equal(isEqual([1, 2], [2, 1]), false);
    assert.equal(isEqual({ constructor: 1 }, {}), false);
    assert.equal(isEqual({}, { toString: 1 }), false);
    assert.equal(isEqual({}, []), false);
    assert.equal(isEqual(2n ** 60n, 2n ** 60n), true);
  });
  it('knows what decoding makes the same', () => {
    assert.equal(isSemanticallyEqual({ a: null, b: [] }, {}), true);
    assert.equal(isSemanticallyEqual({ a: '' }, {}), false);
    assert.equal(isSemanticallyEqual({ a: {} }, {}), false);
  });
});

describe('text', () => {
  it('quotes as Go does', () => {
    assert.equal(quote('a'), '"a"');
    assert.equal(quote('a"\\\n\x01é\u00a0\u{1F600}\u{E0001}'), '"a\\"\\\\\\n\\x01é\\u00a0\u{1F600}\\U000e0001"');
  });
  it('counts and orders bytes', () => {
    assert.equal(utf8Length('aé€\u{1F600}'), 10);
    assert.equal(isLongerThan('éé', 3), true);
    assert.equal(isLongerThan('éé', 4), false);
    assert.ok(compareUTF8('\uffee', '\u{1F600}') < 0);
    assert.ok(compareUTF8('a', 'ab') < 0);
    assert.equal(compareUTF8('x', 'x'), 0);
  });
});

describe('IP addresses', () => {
  const canonical: [string, string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.01', undefined],
    ['10.0.0.256', undefined],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1::2::3', undefined],
    [':1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:', undefined],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['fe80::1%eth0', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of canonical) {
    it(`${text}: ${expected}`, () => {
      const ip = parseIP(text);
      assert.equal(ip && formatIP(ip), expected);
    });
  }
  it('networks', () => {
    const cidr = parseCIDR('10.1.2.3/16');
    assert.ok(cidr);
    assert.equal(formatCIDR(cidr), '10.1.0.0/16');
    const [inside, outside] = [parseIP('10.1.255.255'), parseIP('10.2.0.0')];
    assert.ok(inside && outside);
    assert.equal(cidrContains(cidr, inside), true);
    assert.equal(cidrContains(cidr, outside), false);
  });
});

describe('equal ones among many', () => {
  const values = [
    undefined,
    null,
    [],
    {},
    '',
    'a',
    0,
    1,
    1n,
    true,
    [null],
    [[]],
    [1],
    ['1'],
    { a: null },
    { a: [] },
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ];
  it('have one text exactly when they are semantically equal', () => {
    for (const a of values)
      for (const b of values)
        assert.equal(semanticText(a) === semanticText(b), isSemanticallyEqual(a, b), JSON.stringify([String(a), String(b)]));
  });
  it('are found by their indexes', () => assert.deepEqual([...repeatedIndexes(['a', 'b', 'a', 1, 1, '1', 'a'])], [2, 4, 6]));
});
