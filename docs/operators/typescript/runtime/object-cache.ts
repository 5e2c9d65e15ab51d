import { type KubeConfig, type KubernetesListObject, type KubernetesObject, makeInformer } from '@kubernetes/client-node';
import { messageOf } from './api-error.ts';
import { log } from './log.ts';

/** All objects of one kind as they were a moment ago, followed by list and watch. */
export interface ObjectCache<T extends KubernetesObject> {
  get(namespace: string, name: string): T | undefined;
  list(): readonly T[];
  /** Whether the objects were listed once: before, the cache is empty and says nothing. */
  isSynced(): boolean;
  /** Resolves when `isSynced`. */
  readonly synced: Promise<void>;
  stop(): void;
}

interface ObjectCacheOptions<T extends KubernetesObject> {
  readonly kubeConfig: KubeConfig;
  readonly path: string;
  readonly labelSelector?: string;
  list(): Promise<KubernetesListObject<T>>;
  /** Called with each object that has come, changed or gone. */
  onChange(object: T): void;
}

const maxRetryMs = 10_000;

/** Starts an informer of the client library and starts it again, later and later, when it gives up. */
export function startObjectCache<T extends KubernetesObject>(options: ObjectCacheOptions<T>): ObjectCache<T> {
  let isListed = false;
  let isSynced = false;
  let isStopped = false;
  let retryMs = 0;
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const list = async () => {
    const objects = await options.list();
    isListed = true;
    retryMs = 0;
    return objects;
  };
  const informer = makeInformer<T>(options.kubeConfig, options.path, list, options.labelSelector);
  const failed = (error: unknown) => {
    if (isStopped) return;
    retryMs = Math.min(Math.max(retryMs * 2, 250), maxRetryMs);
    log('watch failed', { path: options.path, error: messageOf(error), retryMs });
    setTimeout(start, retryMs).unref();
  };
  const start = () => {
    if (isStopped) return;
    informer.start().then(() => {
      if (!isListed) return;
      isSynced = true;
      resolve();
    }, failed);
  };
  informer.on('change', options.onChange);
  informer.on('error', failed);
  start();
  return {
    get: (namespace, name) => informer.get(name, namespace),
    list: () => informer.list(),
    isSynced: () => isSynced,
    synced,
    stop() {
      isStopped = true;
      void informer.stop();
    },
  };
}
