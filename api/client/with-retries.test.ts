import assert from 'node:assert/strict';
import { createManualClock } from '../base/testing/manual-clock.ts';
import type { APIRequest, APIResponse } from './transport.ts';
import { withRetries } from './with-retries.ts';

const answer = (status: number, retryAfter?: string): APIResponse => ({
  status,
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  body: { kind: 'none' },
});
const request = (signal = new AbortController().signal): APIRequest => ({ method: 'GET', path: '/', query: '', headers: {}, signal });

describe('withRetries', () => {
  const table: [string, APIResponse[], number, number][] = [
    ['waits as long as it is told to', [answer(429, '2'), answer(503, '1'), answer(200)], 200, 3000],
    ['returns what is no call for patience', [answer(404, '1')], 404, 0],
    ['returns failures without a time', [answer(503)], 503, 0],
    ['gives up after ten times', Array.from({ length: 11 }, () => answer(429, '1')), 429, 10_000],
  ];
  for (const [name, answers, status, tookMs] of table) {
    it(name, async () => {
      const clock = createManualClock();
      const left = [...answers];
      const transport = withRetries(async () => left.shift() ?? assert.fail('asked too often'), clock);
      let at: number | undefined;
      const sent = transport(request()).then((response) => {
        at = clock.monotonicMs();
        return response.status;
      });
      await clock.advance(60_000);
      assert.equal(await sent, status);
      assert.equal(at, tookMs);
      assert.deepEqual(left, []);
    });
  }

  it('stops waiting when the caller has gone', async () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const sent = withRetries(async () => answer(429, '5'), clock)(request(stop.signal));
    const rejected = assert.rejects(sent, /gone/);
    await clock.advance(10);
    stop.abort(new Error('gone'));
    await rejected;
  });
});
