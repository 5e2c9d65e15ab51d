import type { APIResponse } from '../../../api/client/transport.ts';

/**
 * Calls `ended` once, when the consumer has taken the last byte of the response or has stopped: at once for a body that is complete
 * already, with the end of the connection for one that was taken over.
 */
export function onBodyEnd(response: APIResponse, ended: () => void): APIResponse {
  const { body, upgrade } = response;
  let isOver = false;
  const finish = () => {
    if (isOver) return;
    isOver = true;
    ended();
  };
  if (upgrade) {
    return {
      ...response,
      upgrade: (channel) => {
        void channel.closed.then(finish);
        upgrade(channel);
      },
    };
  }
  if (body.kind !== 'stream') {
    finish();
    return response;
  }
  const { chunks, events } = body;
  return {
    ...response,
    body: { kind: 'stream', chunks: watchEnd(chunks, finish), ...(events ? { events: watchEnd(events, finish) } : {}) },
  };
}

/** Passes the iteration through without adding a generator between the producer and its consumer. */
function watchEnd<T>(source: AsyncIterable<T>, finish: () => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      const iterator = source[Symbol.asyncIterator]();
      return {
        async next(...value: [] | [unknown]) {
          try {
            const result = await iterator.next(...value);
            if (result.done) finish();
            return result;
          } catch (error) {
            finish();
            throw error;
          }
        },
        async return(value?: unknown) {
          finish();
          await iterator.return?.(value);
          return { done: true, value: undefined };
        },
      };
    },
  };
}
