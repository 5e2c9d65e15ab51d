import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';

export interface PostOptions {
  /** Ends the call when its result is no longer needed. */
  readonly signal: AbortSignal;
  /** How long the call may take, the reading of its answer included. */
  readonly timeoutMs: number;
}

/** A service that answers reviews (TokenReview, SubjectAccessReview) which are posted to it. */
export interface ReviewWebhook {
  /** Sends one call, without repetition, and returns the answer as parsed JSON. Rejects with a WebhookError. */
  post(review: object, options: PostOptions): Promise<unknown>;
}

interface WebhookErrorOptions extends ErrorOptions {
  /** The status of the answer; 0: there was none. */
  readonly statusCode?: number;
  readonly isTimeout?: boolean;
  readonly isRetriable?: boolean;
  /** The time after which the answer allows another attempt. */
  readonly retryAfterMs?: number;
}

/** A call of a webhook that failed, or an answer that is none. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly statusCode: number;
  readonly isTimeout: boolean;
  readonly isRetriable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    { statusCode = 0, isTimeout = false, isRetriable = false, retryAfterMs, ...options }: WebhookErrorOptions = {},
  ) {
    super(message, options);
    this.statusCode = statusCode;
    this.isTimeout = isTimeout;
    this.isRetriable = isRetriable;
    this.retryAfterMs = retryAfterMs;
  }
}

interface RetryDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Upstream's defaults of calls of authentication and authorization webhooks. */
const maxAttempts = 5;
const retryBackoff = { initialMs: 500, factor: 1.5, jitter: 0.2, maxMs: 60_000 };
/** A webhook cannot make a request wait longer than that before the next attempt. */
const maxRetryAfterMs = 10_000;

/** Makes up to five attempts while they fail in a way that may pass. Rejects with the last failure. */
export async function retryWebhook<T>(attempt: () => Promise<T>, { clock, random, signal }: RetryDependencies): Promise<T> {
  const backoff = createBackoff(retryBackoff, random);
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof WebhookError) || !error.isRetriable || made >= maxAttempts || signal.aborted) throw error;
      const delayMs = Math.max(backoff.nextMs(), Math.min(error.retryAfterMs ?? 0, maxRetryAfterMs));
      const isOver = await sleep(clock, delayMs, signal).then(
        () => false,
        () => true,
      );
      if (isOver) throw error;
    }
  }
}
