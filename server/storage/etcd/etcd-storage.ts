import type { ICompare, IRequestOp } from 'etcd3/lib/rpc.js';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { CommitResult, GetResult, Operation, RangeOptions, RangeResult, Storage, Transaction } from '../storage.ts';
import { StorageError } from '../storage.ts';
import { EtcdLeases } from './etcd-leases.ts';
import type { EtcdTLS } from './etcd-member.ts';
import { createEtcdMember } from './etcd-member.ts';
import { EtcdMembers } from './etcd-members.ts';
import { EtcdWatches, storedEntry } from './etcd-watches.ts';
import { interpretEtcdError } from './interpret-etcd-error.ts';

export interface EtcdStorageOptions {
  /** URLs of the members' client ports, e.g. https://10.0.0.1:2379. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTLS;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * For one operation with all its attempts, milliseconds. Default 10,000: longer than the time in which etcd itself gives
   * up (its election timeout and 5 s).
   */
  readonly operationTimeoutMs?: number;
}

/** Any key: asked for to learn the revision. Upstream's health check reads the same. */
const healthKey = Buffer.from('health');

/** A Storage in an etcd cluster (v3 API). Throws StorageError if no member answers in time. */
export async function connectEtcdStorage(options: EtcdStorageOptions): Promise<Storage> {
  const { endpoints, tls, clock, logger, operationTimeoutMs = 10_000 } = options;
  const members = new EtcdMembers(
    endpoints.map((endpoint) => createEtcdMember(endpoint, tls)),
    { clock, operationTimeoutMs },
  );
  const storage = new EtcdStorage(members, clock, logger);
  try {
    const revision = await storage.currentRevision();
    logger.info('Connected to etcd', { endpoints, revision });
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

  async currentRevision(): Promise<number> {
    const { header } = await this.#members.read((member, options) => member.kv.range({ key: healthKey, count_only: true }, options));
    const revision = Number(header.revision);
    this.#watches.expect(revision);
    return revision;
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    const request = { key: Buffer.from(key), ...(options?.revision ? { revision: options.revision } : {}) };
    const { kvs, header } = await this.#members.read((member, callOptions) => member.kv.range(request, callOptions));
    const [kv] = kvs;
    return { ...(kv ? { entry: storedEntry(kv) } : {}), revision: Number(header.revision) };
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const request = {
      key: Buffer.from(options.start),
      range_end: Buffer.from(options.end),
      keys_only: options.keysOnly ?? false,
      ...(options.limit ? { limit: options.limit } : {}),
      ...(options.revision ? { revision: options.revision } : {}),
    };
    const { kvs, more, count, header } = await this.#members.read((member, callOptions) => member.kv.range(request, callOptions));
    return { entries: kvs.map(storedEntry), more, count: Number(count), revision: options.revision || Number(header.revision) };
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
    const compare = conditions.map(
      ({ key, modRevision }): ICompare => ({ result: 'Equal', target: 'Mod', key: Buffer.from(key), mod_revision: modRevision }),
    );
    const success = await Promise.all(operations.map((operation) => this.#request(operation)));
    const failure = conditions.map(({ key }): IRequestOp => ({ request_range: { key: Buffer.from(key) } }));
    const response = await this.#members.write((member, options) => member.kv.txn({ compare, success, failure }, options));
    const revision = Number(response.header.revision);
    if (response.succeeded) return { succeeded: true, revision };
    const current = response.responses.map(({ response_range }) => {
      const kv = response_range.kvs[0];
      return kv && storedEntry(kv);
    });
    return { succeeded: false, revision, current };
  }

  async #request(operation: Operation): Promise<IRequestOp> {
    const key = Buffer.from(operation.key);
    if (operation.type === 'delete') return { request_delete_range: { key } };
    const lease = operation.ttlSeconds ? { lease: await this.#leases.leaseFor(operation.ttlSeconds) } : {};
    return { request_put: { key, value: Buffer.from(operation.value), ...lease } };
  }
}
