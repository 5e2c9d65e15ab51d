import { type Clock, sleep } from '../base/clock.ts';
import { readBody } from './read-body.ts';
import type { Transport } from './transport.ts';

const maxRetries = 10;

/**
 * Sends a request again when the server says when to (Retry-After with 429 or a 5xx status): up to ten times, as clients of
 * Kubernetes do, so that a server under load is waited for and not failed at. The last answer is returned whatever it is.
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
