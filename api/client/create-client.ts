import type { DeepReadonly } from '../base/deep-readonly.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../meta/object.ts';
import { type Status, StatusError } from '../meta/status.ts';
import type { UserInfo } from '../meta/user-info.ts';
import { apiVersionOf, type ResourceDefinition } from '../resource/resource-definition.ts';
import { parseJSON, stringifyJSON } from '../serialization/json.ts';
import type {
  CallOptions,
  Client,
  DeleteCallOptions,
  ListOptions,
  ObjectList,
  Patch,
  ResourceClient,
  WatchCallOptions,
  WatchEvent,
  WriteOptions,
} from './client.ts';
import { readBody } from './read-body.ts';
import { resourcePath } from './resource-path.ts';
import { isStatus, responseError } from './response-error.ts';
import type { APIResponse, Transport } from './transport.ts';
import { decodeWatchFrames } from './watch-frames.ts';

interface ClientSettings {
  /** The user of in-process requests; the HTTP edge knows its users by their credentials instead. */
  readonly user?: UserInfo;
  /** Sent with every request, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The User-Agent header, which also names the field manager of writes, up to its first '/'. */
  readonly userAgent?: string;
}

/**
 * The typed client over a Transport. The results of get, list, create, update and patch are freshly parsed and belong to the caller, who
 * may modify them. The objects of watch events (and so those of informers and listers) may be frozen and shared by all readers in the
 * process: `structuredClone` them before modifying.
 */
export function createClient(transport: Transport, settings: ClientSettings = {}): Client {
  const own = withSettings(transport, settings);
  const send = createSend(own);
  const client = <T extends KubeObject>(resource: ResourceDefinition<T>): ResourceClient<T> => new PathClient<T>(send, resource);
  return Object.assign(client, { transport: own });
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

type Send = (call: Call) => Promise<APIResponse>;

/** Adds the client's settings to its requests; a request's own settings take precedence. */
function withSettings(transport: Transport, { user, headers, userAgent }: ClientSettings): Transport {
  const common: Record<string, string> = { ...headers, ...(userAgent === undefined ? {} : { 'user-agent': userAgent }) };
  return (request) => {
    const settled = { ...request, headers: { ...common, ...request.headers } };
    return transport(user === undefined || request.user !== undefined ? settled : { ...settled, user });
  };
}

function createSend(transport: Transport): Send {
  const accepted: Record<string, string> = { accept: 'application/json' };
  return async (call) => {
    const body = call.body === undefined ? undefined : stringifyJSON(call.body);
    const response = await transport({
      method: call.method,
      path: call.path,
      query: call.query?.toString() ?? '',
      headers: body === undefined ? accepted : { ...accepted, 'content-type': call.contentType ?? 'application/json' },
      ...(body === undefined ? {} : { body }),
      signal: call.signal ?? new AbortController().signal,
    });
    if (response.status >= 200 && response.status < 300) return response;
    throw await responseError(response);
  };
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

class PathClient<T extends KubeObject> implements ResourceClient<T> {
  readonly #send: Send;
  readonly #resource: ResourceDefinition<T>;

  constructor(send: Send, resource: ResourceDefinition<T>) {
    this.#send = send;
    this.#resource = resource;
  }

  get(key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.#decoded({ method: 'GET', path: this.#path(key), query: readQuery(options), signal: options.signal });
  }

  list(options: ListOptions = {}): Promise<ObjectList<T>> {
    const path = resourcePath(this.#resource, { namespace: options.namespace });
    return this.#decoded({ method: 'GET', path, query: listQuery(options), signal: options.signal });
  }

  create(object: T, options: WriteOptions = {}): Promise<T> {
    const path = resourcePath(this.#resource, { namespace: object.metadata.namespace });
    return this.#decoded({ method: 'POST', path, query: writeQuery(options), body: this.#typed(object), signal: options.signal });
  }

  update(object: T, options: WriteOptions = {}): Promise<T> {
    const path = this.#path(keyOf(object));
    return this.#decoded({ method: 'PUT', path, query: writeQuery(options), body: this.#typed(object), signal: options.signal });
  }

  updateStatus(object: T, options: WriteOptions = {}): Promise<T> {
    return this.updateSubresource(keyOf(object), 'status', this.#typed(object), options);
  }

  patch(key: ObjectKey, patch: Patch, options: WriteOptions & { readonly subresource?: string } = {}): Promise<T> {
    const path = this.#path(key, options.subresource);
    const contentType = patchTypes[patch.type];
    return this.#decoded({
      method: 'PATCH',
      path,
      query: writeQuery(options),
      body: patch.body,
      contentType,
      signal: options.signal,
    });
  }

  delete(key: ObjectKey, options: DeleteCallOptions = {}): Promise<Status | T> {
    return this.#decoded({ method: 'DELETE', path: this.#path(key), body: deleteBody(options), signal: options.signal });
  }

  async deleteCollection(options: ListOptions & DeleteCallOptions): Promise<void> {
    const path = resourcePath(this.#resource, { namespace: options.namespace });
    const call: Call = { method: 'DELETE', path, query: listQuery(options), body: deleteBody(options), signal: options.signal };
    await readBody((await this.#send(call)).body);
  }

  async *watch(options: WatchCallOptions): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const stop = new AbortController();
    const onAbort = () => stop.abort(options.signal?.reason);
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const path = resourcePath(this.#resource, { namespace: options.namespace });
      const { body } = await this.#send({ method: 'GET', path, query: watchQuery(options), signal: stop.signal });
      if (body.kind !== 'stream') throw new TypeError('the answer to a watch is not a stream');
      for await (const { type, object } of body.events ?? decodeWatchFrames(body.chunks)) {
        if (type !== 'ERROR') yield { type, object: object as DeepReadonly<T> };
        else throw watchError(object);
      }
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      stop.abort();
    }
  }

  createSubresource<R>(key: ObjectKey, subresource: string, body: unknown, options: WriteOptions = {}): Promise<R> {
    const path = this.#path(key, subresource);
    return this.#decoded({ method: 'POST', path, query: writeQuery(options), body, signal: options.signal });
  }

  getSubresource<R>(key: ObjectKey, subresource: string, options: CallOptions = {}): Promise<R> {
    const path = this.#path(key, subresource);
    return this.#decoded({ method: 'GET', path, query: readQuery(options), signal: options.signal });
  }

  updateSubresource<R>(key: ObjectKey, subresource: string, body: unknown, options: WriteOptions = {}): Promise<R> {
    const path = this.#path(key, subresource);
    return this.#decoded({ method: 'PUT', path, query: writeQuery(options), body, signal: options.signal });
  }

  #path(key: ObjectKey, subresource?: string): string {
    return resourcePath(this.#resource, { namespace: key.namespace, name: key.name, subresource });
  }

  /** Objects out of lists carry no type; a write must name it. */
  #typed(object: T): T {
    return { ...object, apiVersion: apiVersionOf(this.#resource), kind: this.#resource.names.kind };
  }

  async #decoded<R>(call: Call): Promise<R> {
    const response = await this.#send(call);
    return parseJSON(await readBody(response.body)).value as R;
  }
}

function watchError(object: unknown): Error {
  if (isStatus(object)) return new StatusError(object);
  return new TypeError('the watch was ended by an ERROR event that carries no Status');
}

function readQuery(options: CallOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (options.resourceVersion !== undefined) query.set('resourceVersion', options.resourceVersion);
  return query;
}

function listQuery(options: ListOptions): URLSearchParams {
  const query = readQuery(options);
  if (options.labelSelector) query.set('labelSelector', options.labelSelector);
  if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
  if (options.limit !== undefined) query.set('limit', String(options.limit));
  if (options.continue) query.set('continue', options.continue);
  if (options.resourceVersionMatch) query.set('resourceVersionMatch', options.resourceVersionMatch);
  return query;
}

function watchQuery(options: WatchCallOptions): URLSearchParams {
  const query = listQuery(options);
  query.set('watch', 'true');
  if (options.allowWatchBookmarks) query.set('allowWatchBookmarks', 'true');
  if (options.sendInitialEvents !== undefined) query.set('sendInitialEvents', String(options.sendInitialEvents));
  if (options.timeoutSeconds !== undefined) query.set('timeoutSeconds', String(options.timeoutSeconds));
  return query;
}

function writeQuery(options: WriteOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (options.fieldManager) query.set('fieldManager', options.fieldManager);
  if (options.dryRun) query.set('dryRun', 'All');
  if (options.force !== undefined) query.set('force', String(options.force));
  return query;
}

function deleteBody(options: DeleteCallOptions): unknown {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
  };
}
