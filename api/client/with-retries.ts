import { type Clock, sleep } from '../base/clock.ts';
import { readBody } from './read-body.ts';
import type { Transport } from './transport.ts';

const maxRetries = 10;

/**
 * Repeats a request when the server says when to try again (Retry-After with 429 or a 5xx status), up to ten times, as Kubernetes clients
 * do. Returns the last answer, whatever its status.
 */
export function withRetries(transport: Transport, clock: Clock): Transport {
  return async (request) => {
    for (let retry = 0; ; retry++) {
      const response = await transport(request);
      const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
      const mayRetry = response.status === 429 || response.status >= 500;
      if (!mayRetry || !Number.isFinite(seconds) || seconds < 0 || retry >= maxRetries) return response;
      await readBody(response.body);
      await sleep(clock, seconds * 1000, request.signal);
    }
  };
}
