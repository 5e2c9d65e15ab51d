import { badRequest, requestTimeout as timedOut } from '../../../api/meta/status-errors.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { Filter } from '../request/request-context.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

/** No timer is that fast. */
const minTimeoutMs = 1;

/** Ends requests that take too long: after the time of their `timeout` parameter, `limitMs` at most. */
export function requestTimeout(limitMs: number): Filter {
  return (next) => async (context) => {
    if (isLongRunning(context.info)) return next(context);
    const timeoutMs = timeoutOf(context.query, limitMs);
    if (timeoutMs < minTimeoutMs) {
      context.terminatedWith = 504;
      return timeoutResponse();
    }
    context.deadlineMs = context.clock.monotonicMs() + timeoutMs;
    let expire = (_error: Error): void => {};
    const expired = new Promise<never>((_resolve, reject) => (expire = reject));
    // Nothing waits for it once the answer is under way; the abort ends the body.
    expired.catch(() => {});
    const timer = context.clock.setTimer(
      timeoutMs,
      () => {
        const error = timedOut();
        context.terminatedWith = error.code;
        context.abort(error);
        expire(error);
      },
      { background: true },
    );
    const answer = next(context);
    try {
      const response = await Promise.race([answer, expired]);
      return withPatience(
        onBodyEnd(response, () => timer.cancel()),
        timeoutMs,
      );
    } catch (error) {
      timer.cancel();
      // A late answer has no reader.
      answer.then(discard, () => {});
      if (context.terminatedWith === 504) return timeoutResponse();
      throw error;
    }
  };
}

/** Smaller answers are on their way at once. */
const smallBytes = 64 * 1024;

/**
 * Limits the time that a client may take to read the body to that of the request. Time spent waiting for others is not counted: upstream
 * also cuts answers that are nearly complete, and has to begin anew when it is asked again.
 */
function withPatience(response: APIResponse, ms: number): APIResponse {
  const { body } = response;
  const isLarge = body.kind === 'stream' || (body.kind === 'bytes' && body.bytes.length > smallBytes);
  return isLarge ? { ...response, patience: { ms, each: 'body' } } : response;
}

/** The answer that upstream writes past all negotiation: a Status without kind, as text. */
function timeoutResponse(): APIResponse {
  const { kind: _kind, apiVersion: _apiVersion, ...status } = timedOut().status;
  const bytes = Buffer.from(`${JSON.stringify(status)}\n`);
  return { status: status.code, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: { kind: 'bytes', bytes } };
}

/** The time that a request may take: that of its `timeout` parameter, but no longer than the server allows. */
export function timeoutOf(query: URLSearchParams, limitMs: number): number {
  const text = query.get('timeout');
  if (text === null || text === '') return limitMs;
  let askedMs: number;
  try {
    askedMs = parseDurationMs(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRequest(`invalid timeout specified in the request URL - ${reason}`);
  }
  return askedMs > 0 ? Math.min(askedMs, limitMs) : limitMs;
}

async function discard({ body }: APIResponse): Promise<void> {
  if (body.kind === 'stream') await body.chunks[Symbol.asyncIterator]().return?.();
}
