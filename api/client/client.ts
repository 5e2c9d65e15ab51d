import type { DeepReadonly } from '../base/deep-readonly.ts';
import type { KubeObject, ObjectKey } from '../meta/object.ts';
import type { Status } from '../meta/status.ts';
import type { ResourceDefinition } from '../resource/resource-definition.ts';
import type { Transport } from './transport.ts';

/**
 * The typed client that all of kubets uses: `client(pods).get({ namespace, name })`. Made by createClient(transport). A failure that the
 * server answered is a StatusError; a request that got no answer throws the Transport's error.
 */
export interface Client {
  <T extends KubeObject>(resource: ResourceDefinition<T>): ResourceClient<T>;
  /** Sends requests that are about no resource, as the client's user and with its headers. */
  readonly transport: Transport;
}

export interface ResourceClient<T extends KubeObject> {
  get(key: ObjectKey, options?: CallOptions): Promise<T>;
  list(options?: ListOptions): Promise<ObjectList<T>>;
  create(object: T, options?: WriteOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  patch(key: ObjectKey, patch: Patch, options?: WriteOptions & { readonly subresource?: string }): Promise<T>;
  delete(key: ObjectKey, options?: DeleteCallOptions): Promise<Status | T>;
  deleteCollection(options: ListOptions & DeleteCallOptions): Promise<void>;
  /** Sends one watch request and ends when the server ends it. Informers resume by themselves and are nearly always the better choice. */
  watch(options: WatchCallOptions): AsyncIterable<WatchEvent<T>>;
  /** POST of another kind to a subresource (binding, eviction, token), or PUT with `method`. */
  createSubresource<R>(key: ObjectKey, subresource: string, body: unknown, options?: WriteOptions): Promise<R>;
  getSubresource<R>(key: ObjectKey, subresource: string, options?: CallOptions): Promise<R>;
  updateSubresource<R>(key: ObjectKey, subresource: string, body: unknown, options?: WriteOptions): Promise<R>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly resourceVersion?: string;
}

export interface ListOptions extends CallOptions {
  /** Absent or '': all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact';
}

export interface WatchCallOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  readonly signal?: AbortSignal;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export interface DeleteCallOptions {
  readonly signal?: AbortSignal;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export type Patch =
  | { readonly type: 'json'; readonly body: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic' | 'apply'; readonly body: unknown };

export interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: T[];
}

/** ERROR ends the watch: the iteration throws its StatusError, so it does not appear here. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: DeepReadonly<T>;
}
