import { alreadyExists, badRequest, conflict, notFound, resourceExpired } from '../../meta/status-errors.ts';
import { StatusError } from '../../meta/status.ts';
import type { UntypedObject } from '../../meta/object.ts';
import type { APIRequest, APIResponse, Transport } from '../transport.ts';

/**
 * The least that the client's own tests need of an API: objects by path with resourceVersions, list, watch, create, update,
 * merge patch and delete. It passes the same suite as the API server (server/apiserver/testing). No schemas, no admission,
 * no selectors: whatever needs those is tested on the API server.
 */
export class ObjectServer {
  readonly transport: Transport = (request) => this.#answer(request);
  readonly requests: APIRequest[] = [];
  /** Called before each request; may throw an error as a broken connection does. */
  onRequest: (request: APIRequest) => void | Promise<void> = () => {};
  /** Text of deletionTimestamp. */
  nowText: () => string = () => '2026-01-01T00:00:00Z';
  #revision = 1;
  #compacted = 0;
  #uids = 0;
  readonly #objects = new Map<string, UntypedObject>();
  readonly #log: { revision: number; path: string; type: string; object: UntypedObject }[] = [];
  readonly #wakers = new Set<() => void>();
  readonly #watches = new Set<AbortController>();

  /** Ends every watch, as a server does that is restarted. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.abort();
  }

  /** Forgets the past: watches from before now are refused with 410. */
  compact(): void {
    this.#compacted = this.#revision;
    this.#log.length = 0;
  }

  /** The objects under a path, e.g. `/api/v1/namespaces/default/pods/`. */
  objectsUnder(path: string): UntypedObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(path)).map(([, object]) => object);
  }

  async #answer(request: APIRequest): Promise<APIResponse> {
    this.requests.push(request);
    try {
      await this.onRequest(request);
      request.signal.throwIfAborted();
      return this.#perform(request);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return json(error.code, error.status);
    }
  }

  #perform(request: APIRequest): APIResponse {
    const query = new URLSearchParams(request.query);
    const path = request.path.replace(/\/(?:status|finalize)$/, '');
    switch (request.method) {
      case 'GET':
        if (query.get('watch') === 'true') return this.#watch(path, query, request.signal);
        if (isCollection(path)) return this.#list(path);
        return json(200, this.#find(path));
      case 'POST':
        return json(201, this.#create(path, bodyOf(request)));
      case 'PUT':
        return json(200, this.#update(path, bodyOf(request), request.path.endsWith('/status')));
      case 'PATCH':
        return json(200, this.#store(path, mergePatch(this.#find(path), bodyOf(request)) as UntypedObject, 'MODIFIED'));
      default:
        return this.#delete(path);
    }
  }

  #find(path: string): UntypedObject {
    const object = this.#objects.get(path);
    if (object === undefined) throw notFound({ group: '', resource: collectionOf(path) }, path.slice(path.lastIndexOf('/') + 1));
    return structuredClone(object);
  }

  #create(path: string, body: UntypedObject): UntypedObject {
    const uid = `uid-${++this.#uids}`;
    const name = body.metadata.name ?? `${body.metadata.generateName ?? ''}${String(this.#uids).padStart(5, '0')}`;
    if (this.#objects.has(`${path}/${name}`)) throw alreadyExists({ group: '', resource: collectionOf(`${path}/x`) }, name);
    return this.#store(`${path}/${name}`, { ...body, metadata: { ...body.metadata, name, uid } }, 'ADDED');
  }

  #update(path: string, body: UntypedObject, onlyStatus: boolean): UntypedObject {
    const present = this.#find(path);
    const wanted = body.metadata.resourceVersion;
    if (wanted !== undefined && wanted !== present.metadata.resourceVersion) {
      throw conflict({ group: '', resource: collectionOf(path) }, body.metadata.name ?? '');
    }
    return this.#store(
      path,
      onlyStatus ? { ...present, metadata: body.metadata, status: body['status'] } : { ...body, status: present['status'] },
      'MODIFIED',
    );
  }

  #delete(path: string): APIResponse {
    const object = this.#find(path);
    if ((object.metadata.finalizers ?? []).length > 0) {
      object.metadata.deletionTimestamp ??= this.nowText();
      return json(200, this.#store(path, object, 'MODIFIED'));
    }
    return json(200, this.#store(path, object, 'DELETED'));
  }

  #store(path: string, object: UntypedObject, type: string): UntypedObject {
    const isGone = type === 'DELETED' || (object.metadata.deletionTimestamp !== undefined && !object.metadata.finalizers?.length);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } };
    if (isGone) this.#objects.delete(path);
    else this.#objects.set(path, stored);
    this.#log.push({ revision: this.#revision, path, type: isGone ? 'DELETED' : type, object: stored });
    for (const wake of this.#wakers) wake();
    return stored;
  }

  #list(path: string): APIResponse {
    const items = [...this.#objects].filter(([key]) => belongs(key, path)).map(([, object]) => object);
    return json(200, { kind: 'List', metadata: { resourceVersion: String(this.#revision) }, items });
  }

  #watch(path: string, query: URLSearchParams, signal: AbortSignal): APIResponse {
    if (query.has('sendInitialEvents')) throw badRequest('sendInitialEvents is not known');
    const from = Number(query.get('resourceVersion') ?? this.#revision);
    if (from < this.#compacted) throw resourceExpired(`too old resource version: ${from} (${this.#compacted})`);
    const stop = new AbortController();
    this.#watches.add(stop);
    signal.addEventListener('abort', () => stop.abort(), { once: true });
    return { status: 200, headers: {}, body: { kind: 'stream', chunks: this.#events(path, from, stop) } };
  }

  async *#events(path: string, from: number, stop: AbortController): AsyncGenerator<Uint8Array, void, undefined> {
    let seen = from;
    try {
      while (!stop.signal.aborted) {
        const next = this.#log.find((entry) => entry.revision > seen);
        if (next !== undefined) {
          seen = next.revision;
          const line = `${JSON.stringify({ type: next.type, object: next.object })}\n`;
          if (belongs(next.path, path)) yield new TextEncoder().encode(line);
          continue;
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            this.#wakers.delete(wake);
            resolve();
          };
          this.#wakers.add(wake);
          stop.signal.addEventListener('abort', wake, { once: true });
        });
      }
    } finally {
      this.#watches.delete(stop);
    }
  }
}

function json(status: number, value: unknown): APIResponse {
  return { status, headers: {}, body: { kind: 'bytes', bytes: new TextEncoder().encode(JSON.stringify(value)) } };
}

function bodyOf(request: APIRequest): UntypedObject {
  return JSON.parse(new TextDecoder().decode(request.body)) as UntypedObject;
}

/** `/api/v1/pods`, `/apis/apps/v1/namespaces/default/deployments`, `/api/v1/namespaces`. */
function isCollection(path: string): boolean {
  const parts = path.split('/').slice(path.startsWith('/api/') ? 3 : 4);
  return parts.length === 1 || parts.length === 3;
}

function collectionOf(path: string): string {
  return path.split('/').at(-2) ?? '';
}

/** Whether an object's path is in the collection, also when that is of all namespaces. */
function belongs(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+(?=\/)/, '') === collection;
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
