import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { CommitResult, GetResult, Operation, RangeOptions, RangeResult, Storage, Transaction } from '../storage.ts';
import { StorageError } from '../storage.ts';
import type { EtcdOperation } from './etcd-kv.ts';
import { EtcdLeases } from './etcd-leases.ts';
import { createEtcdMember } from './etcd-member.ts';
import { EtcdMembers } from './etcd-members.ts';
import { EtcdWatches } from './etcd-watches.ts';
import { tellsProgressInOrder } from './etcd-version.ts';
import { interpretEtcdError } from './interpret-etcd-error.ts';
import type { EtcdTLS } from './etcd-tls.ts';

export interface EtcdStorageOptions {
  /** URLs of the members' client ports, e.g. https://10.0.0.1:2379. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTLS;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * The milliseconds for one operation with all its attempts. Default 10,000: longer than etcd itself waits (its election timeout and 5 s).
   */
  readonly operationTimeoutMs?: number;
}

/** Any key: asked for to learn the revision. Upstream's health check reads the same. */
const healthKey = 'health';

/** A Storage in an etcd cluster (v3 API). Throws StorageError if no member answers in time. */
export async function connectEtcdStorage(options: EtcdStorageOptions): Promise<Storage> {
  const { endpoints, tls, clock, logger, operationTimeoutMs = 10_000 } = options;
  const members = new EtcdMembers(
    endpoints.map((endpoint) => createEtcdMember(endpoint, tls, clock)),
    { clock, operationTimeoutMs },
  );
  const storage = new EtcdStorage(members, clock, logger);
  try {
    const revision = await storage.currentRevision();
    const version = await storage.version();
    if (!tellsProgressInOrder(version)) {
      storage.neverAskForProgress();
      logger.warn('This etcd has a fault in progress notifications: consistent reads are slow until it is upgraded', { version });
    }
    logger.info('Connected to etcd', { endpoints, revision, version });
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

class EtcdStorage implements Storage {
  readonly #members: EtcdMembers;
  readonly #leases: EtcdLeases;
  readonly #watches: EtcdWatches;

  constructor(members: EtcdMembers, clock: Clock, logger: Logger) {
    this.#members = members;
    this.#leases = new EtcdLeases(members, clock);
    this.#watches = new EtcdWatches({ members, clock, logger });
  }

  /** Of the member that is used at present. */
  async version(): Promise<string> {
    return (await this.#members.read((member, options) => member.maintenance.status(options))).version;
  }

  neverAskForProgress(): void {
    this.#watches.neverAsk();
  }

  async currentRevision(): Promise<number> {
    const { revision } = await this.#members.read((member, options) => member.range({ key: healthKey, countOnly: true }, options));
    this.#watches.expect(revision);
    return revision;
  }

  async get(key: string, options: { readonly revision?: number } = {}): Promise<GetResult> {
    const request = { key, ...options };
    const { entries, revision } = await this.#members.read((member, callOptions) => member.range(request, callOptions));
    const [entry] = entries;
    return { ...(entry ? { entry } : {}), revision };
  }

  async range({ start, end, ...options }: RangeOptions): Promise<RangeResult> {
    const request = { key: start, rangeEnd: end, ...options };
    const result = await this.#members.read((member, callOptions) => member.range(request, callOptions));
    return options.revision ? { ...result, revision: options.revision } : result;
  }

  async commit(transaction: Transaction): Promise<CommitResult> {
    try {
      return await this.#commitOnce(transaction);
    } catch (error) {
      // refused before anything was done: the lease has expired early, or was revoked by hand
      if (!(error instanceof StorageError && /requested lease not found/i.test(error.message))) throw error;
      this.#leases.forgetAll();
      return this.#commitOnce(transaction);
    }
  }

  watch(...[options]: Parameters<Storage['watch']>): ReturnType<Storage['watch']> {
    return this.#watches.watch(options);
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#members.read((member, options) => member.kv.compact({ revision, physical: false }, options));
    } catch (cause) {
      const error = interpretEtcdError(cause);
      if (error.reason !== 'compacted') throw error; // another has been there before
    }
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(new StorageError('timeout', 'etcd did not answer in time', { cause: signal.reason }));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#probe(), aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async sizeBytes(): Promise<number> {
    const { dbSize } = await this.#members.read((member, options) => member.maintenance.status(options));
    return Number(dbSize);
  }

  async close(): Promise<void> {
    this.#watches.close();
    this.#members.close();
  }

  /** A linearizable read needs a majority; alarms say that writes are refused. */
  async #probe(): Promise<void> {
    await this.currentRevision();
    const { alarms } = await this.#members.read((member, options) => member.maintenance.alarm({ action: 'Get' }, options));
    for (const { alarm } of alarms) {
      if (alarm === 'Nospace') throw new StorageError('no-space', 'etcd: alarm NOSPACE is raised');
      if (alarm === 'Corrupt') throw new StorageError('corrupt', 'etcd: alarm CORRUPT is raised');
    }
  }

  async #commitOnce({ conditions, operations }: Transaction): Promise<CommitResult> {
    const hasLeases = operations.some((operation) => operation.type === 'put' && operation.ttlSeconds);
    const wanted = hasLeases
      ? await Promise.all(operations.map((operation) => this.#withLease(operation)))
      : operations.map((operation) => ({ operation }));
    return this.#members.write((member, options) => member.txn(conditions, wanted, options));
  }

  async #withLease(operation: Operation): Promise<EtcdOperation> {
    if (operation.type === 'delete' || !operation.ttlSeconds) return { operation };
    return { operation, lease: await this.#leases.leaseFor(operation.ttlSeconds) };
  }
}
