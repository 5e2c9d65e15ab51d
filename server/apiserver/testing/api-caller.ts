import { readBody } from '../../../api/client/read-body.ts';
import type { APIResponse, Transport } from '../../../api/client/transport.ts';
import { decodeWatchFrames } from '../../../api/client/watch-frames.ts';
import type { Status } from '../../../api/meta/status.ts';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: T;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends raw requests, for tests of the wire format. */
export interface APICaller {
  /** `target` is path and query; a body that is no string or bytes is sent as JSON. */
  call<T = Record<string, unknown>>(method: string, target: string, options?: CallOptions): Promise<Answer<T>>;
  get<T = Record<string, unknown>>(target: string, headers?: Readonly<Record<string, string>>): Promise<Answer<T>>;
  post<T = Record<string, unknown>>(target: string, body: unknown): Promise<Answer<T>>;
  put<T = Record<string, unknown>>(target: string, body: unknown): Promise<Answer<T>>;
  patch<T = Record<string, unknown>>(target: string, type: 'json' | 'merge' | 'strategic' | 'apply', body: unknown): Promise<Answer<T>>;
  delete<T = Record<string, unknown>>(target: string, options?: unknown): Promise<Answer<T>>;
  /** The failure that the call must give. */
  failure(answer: Promise<Answer>): Promise<Pick<Status, 'code' | 'reason' | 'message' | 'details'>>;
  /** Opens a watch; frames come as they are on the wire. */
  watch(target: string, headers?: Readonly<Record<string, string>>): Promise<WatchCall>;
}

export interface WatchCall {
  readonly response: APIResponse;
  /** The next event; fails where the watch has ended. */
  next(): Promise<{ readonly type: string; readonly object: Record<string, never> & { metadata: Record<string, never> } }>;
  ended(): Promise<boolean>;
  stop(): Promise<void>;
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export function createAPICaller(
  transport: Transport,
  user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] },
): APICaller {
  const send = (
    method: string,
    target: string,
    { body, contentType = 'application/json', headers = {} }: CallOptions,
    signal: AbortSignal,
  ) => {
    const question = target.indexOf('?');
    return transport({
      method,
      path: question < 0 ? target : target.slice(0, question),
      query: question < 0 ? '' : target.slice(question + 1),
      headers: { 'user-agent': 'test/1.0', ...(body === undefined ? {} : { 'content-type': contentType }), ...headers },
      ...(body === undefined ? {} : { body: bytesOf(body) }),
      signal,
      user,
    });
  };
  const call: APICaller['call'] = async <T>(method: string, target: string, options: CallOptions = {}) => {
    const response = await send(method, target, options, new AbortController().signal);
    const text = new TextDecoder().decode(await readBody(response.body));
    const isJSON = (response.headers['content-type'] ?? '').startsWith('application/json');
    return { status: response.status, headers: response.headers, text, body: (isJSON ? JSON.parse(text) : undefined) as T };
  };
  return {
    call,
    get: (target, headers = {}) => call('GET', target, { headers }),
    post: (target, body) => call('POST', target, { body }),
    put: (target, body) => call('PUT', target, { body }),
    patch: (target, type, body) => call('PATCH', target, { body, contentType: patchTypes[type] }),
    delete: (target, options) => call('DELETE', target, options === undefined ? {} : { body: options }),
    async failure(answer) {
      const { status, body } = await answer;
      const { kind, code, reason, message, details } = body as unknown as Status & { kind: string };
      if (kind !== 'Status' || status < 400 || status !== code) throw new Error(`no failure: ${status} ${JSON.stringify(body)}`);
      return {
        code,
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        ...(details === undefined ? {} : { details }),
      };
    },
    async watch(target, headers = {}) {
      const stop = new AbortController();
      const response = await send('GET', target, { headers }, stop.signal);
      if (response.body.kind !== 'stream') throw new Error(`no watch: ${response.status}`);
      const events = decodeWatchFrames(response.body.chunks)[Symbol.asyncIterator]();
      return {
        response,
        async next() {
          const { value, done } = await events.next();
          if (done) throw new Error('the watch has ended');
          return value as never;
        },
        ended: async () => (await events.next()).done === true,
        async stop() {
          stop.abort();
          await events.return?.();
        },
      };
    },
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}
