import assert from 'node:assert/strict';
import { BodyComparison, type ExpectedBody } from './expected-body.ts';

const list: ExpectedBody = { opening: '"items":[', items: Buffer.from('{"a":1},{"b":2}'), closing: ']}' };
const events: ExpectedBody = { opening: '', items: Buffer.from('{"a":1}\n{"b":2}\n'), closing: 'initial-events-end' };

/** Whether each body is as expected and complete, cut into pieces of every size. */
function compare(expected: ExpectedBody, body: string): (boolean | undefined)[] {
  const data = Buffer.from(`??${body}??`);
  return Array.from({ length: body.length }, (_, index) => {
    const comparison = new BodyComparison(expected);
    const size = index + 1;
    for (let at = 0; at < body.length; at += size)
      if (!comparison.read(data, 2 + at, 2 + Math.min(at + size, body.length))) return undefined;
    return comparison.isComplete;
  });
}

describe('a body that every informer must read', () => {
  for (const [what, expected, body, result] of [
    ['a list', list, '{"metadata":{"resourceVersion":"17"},"items":[{"a":1},{"b":2}]}', true],
    ['a list that ends early', list, '{"items":[{"a":1},{"b":2}', false],
    ['a list with another item', list, '{"items":[{"a":1},{"b":3}]}', undefined],
    ['events', events, '{"a":1}\n{"b":2}\n{"type":"BOOKMARK","k8s.io/initial-events-end":"true"}', true],
    ['events without the last', events, '{"a":1}\n{"type":"BOOKMARK","k8s.io/initial-events-end":"true"}', undefined],
    ['events that have not ended', events, '{"a":1}\n{"b":2}\n', false],
  ] as const)
    it(`${what}: ${result === true ? 'is what is expected' : result === false ? 'is not complete' : 'is not the same'}`, () => {
      assert.deepEqual(new Set(compare(expected, body)), new Set([result]));
    });
});
