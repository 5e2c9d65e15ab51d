import { type Clock, sleep } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Logger } from '../../base/logger.ts';
import type { KubeObject } from '../../meta/object.ts';
import { groupResource, type ResourceDefinition } from '../../resource/resource-definition.ts';
import { selfSubjectAccessReviews } from '../../resources/authorization/v1/self-subject-access-review.ts';
import type { SelfSubjectAccessReview } from '../../types/authorization-v1.ts';
import type { Client } from '../client.ts';
import type { Informer, InformerFactory, InformerHandler, Lister } from './informer.ts';

interface AuthorizedInformersDependencies {
  /** The informers that all users share. They run with the right to see everything. */
  readonly shared: InformerFactory;
  /** Acts as the user. */
  readonly client: Client;
  /** Shown in the log. */
  readonly userName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when the next question may be asked: hundreds of them at once would hold the event loop. Absent: at once. */
  readonly nextTurn?: () => Promise<void>;
  /** Ends the waiting for permissions. */
  readonly signal: AbortSignal;
}

type Selection = Parameters<InformerFactory['informer']>[1];

const minRetryMs = 20;
const maxRetryMs = 30_000;
/** Permissions that were given a moment ago are not known to the server yet: only later is it worth a warning. */
const quietMs = 2000;

/**
 * Shared informers as one user may read them: handlers get no objects, and nothing counts as synced, until the API has answered that the
 * user may list and watch the resource. So the users in one process share one copy of the objects, each with the permissions that its own
 * informer would have.
 */
export function createAuthorizedInformers(dependencies: AuthorizedInformersDependencies): InformerFactory {
  const { shared, signal } = dependencies;
  const informers = new Map<Informer<KubeObject>, AuthorizedInformer<KubeObject>>();
  return {
    informer<T extends KubeObject>(resource: ResourceDefinition<T>, selection: Selection = {}): Informer<T> {
      const inner = shared.informer(resource, selection);
      const key = inner as unknown as Informer<KubeObject>;
      const known = informers.get(key);
      if (known) return known as unknown as Informer<T>;
      const created = new AuthorizedInformer<T>(inner, untilAllowed(dependencies, resource, selection.namespace), signal);
      informers.set(key, created as unknown as AuthorizedInformer<KubeObject>);
      return created;
    },
    run: (until) => shared.run(until),
    async synced(until) {
      await Promise.all([...informers.values()].map((informer) => informer.synced(until)));
    },
  };
}

/** Resolves with whether the user may follow the resource: false only when the signal is aborted before. */
async function untilAllowed(
  { client, userName, clock, logger, nextTurn, signal }: AuthorizedInformersDependencies,
  resource: ResourceDefinition,
  namespace = '',
): Promise<boolean> {
  const startMs = clock.monotonicMs();
  const may = async (verb: string): Promise<boolean> => {
    const resourceAttributes = { namespace, verb, group: resource.group, version: resource.version, resource: resource.names.plural };
    const review: SelfSubjectAccessReview = { metadata: {}, spec: { resourceAttributes } };
    await nextTurn?.();
    return (await client(selfSubjectAccessReviews).create(review, { signal })).status?.allowed === true;
  };
  for (let delayMs = minRetryMs; !signal.aborted; delayMs = Math.min(delayMs * 2, maxRetryMs)) {
    const isQuiet = clock.monotonicMs() - startMs < quietMs;
    try {
      const denied = (await may('list')) ? ((await may('watch')) ? undefined : 'watch') : 'list';
      if (denied === undefined) return true;
      const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
      if (!isQuiet) logger.warn(`${groupResource(resource)} is forbidden: User "${userName}" cannot ${denied} it ${where}`);
    } catch (error) {
      if (!signal.aborted && !isQuiet) logger.warn('permissions could not be asked for', { resource: groupResource(resource), error });
    }
    await sleep(clock, delayMs, signal).catch(() => undefined);
  }
  return false;
}

class AuthorizedInformer<T extends KubeObject> implements Informer<T> {
  readonly resource: ResourceDefinition<T>;
  readonly lister: Lister<T>;
  readonly #inner: Informer<T>;
  readonly #allowed: Promise<boolean>;
  #isAllowed = false;

  constructor(inner: Informer<T>, allowed: Promise<boolean>, signal: AbortSignal) {
    this.resource = inner.resource;
    this.#inner = inner;
    this.lister = guardedLister(inner.lister, () => this.#isAllowed);
    this.#allowed = allowed.then((isAllowed) => (this.#isAllowed = isAllowed && !signal.aborted));
  }

  addHandler(handler: InformerHandler<T>): () => void {
    let remove: (() => void) | undefined;
    let isRemoved = false;
    const add = () => {
      if (!isRemoved) remove = this.#inner.addHandler(handler);
    };
    if (this.#isAllowed) add();
    else void this.#allowed.then((isAllowed) => isAllowed && add());
    return () => {
      isRemoved = true;
      remove?.();
    };
  }

  addIndex(name: string, valuesOf: (object: DeepReadonly<T>) => readonly string[]): void {
    this.#inner.addIndex(name, valuesOf);
  }

  hasSynced(): boolean {
    return this.#isAllowed && this.#inner.hasSynced();
  }

  async synced(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#allowed, signal);
    await this.#inner.synced(signal);
  }
}

/** A lister that knows of nothing as long as nothing may be read. */
function guardedLister<T extends KubeObject>(inner: Lister<T>, isAllowed: () => boolean): Lister<T> {
  return {
    find: (key) => (isAllowed() ? inner.find(key) : undefined),
    list: (options) => (isAllowed() ? inner.list(options) : []),
    byIndex: (index, value) => (isAllowed() ? inner.byIndex(index, value) : []),
    version: () => (isAllowed() ? inner.version() : -1),
  };
}

/** Rejects with the signal's reason as soon as the signal is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then((value) => {
      signal.removeEventListener('abort', onAbort);
      if (!signal.aborted) resolve(value);
    }, reject);
  });
}
