import { noop } from 'cockatiel';
import type { IOptions } from 'etcd3';
import { Etcd3 } from 'etcd3';
import type { Clock } from '../../../api/base/clock.ts';
import { sleep } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';
import { interpretEtcdError, wasNeverSent } from './interpret-etcd-error.ts';

/** PEM. */
export interface EtcdTLS {
  readonly certificateAuthority: Uint8Array;
  /** Of the client, where etcd asks for one. */
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}

type CallOptions = { readonly deadline: number };

const retryDelayMs = 50;

/**
 * The members of an etcd cluster, one of which is used until it fails. The client library's own choice (a random member
 * for each call), retries (also of writes) and circuit breaker are off.
 */
export class EtcdMembers {
  readonly #clients: readonly Etcd3[];
  readonly #clock: Clock;
  readonly #operationTimeoutMs: number;
  #current = 0;

  constructor(options: {
    readonly endpoints: readonly string[];
    readonly tls: EtcdTLS | undefined;
    readonly clock: Clock;
    readonly operationTimeoutMs: number;
  }) {
    const { endpoints, tls, clock, operationTimeoutMs } = options;
    this.#clock = clock;
    this.#operationTimeoutMs = operationTimeoutMs;
    this.#clients = endpoints.map((endpoint) => new Etcd3({ ...clientOptions(tls), hosts: endpoint }));
  }

  get client(): Etcd3 {
    const client = this.#clients[this.#current];
    if (!client) throw new StorageError('closed', 'etcd: no endpoints');
    return client;
  }

  /** Called when the present member has failed. */
  next(failed: Etcd3): void {
    if (failed === this.client) this.#current = (this.#current + 1) % this.#clients.length;
  }

  /** Asks one member after the other until one answers. For requests that may be sent twice. */
  read<T>(request: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    return this.#call(request, () => true);
  }

  /** As read, but sends a request again only if it has certainly not been sent. */
  write<T>(request: (client: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    return this.#call(request, wasNeverSent);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #call<T>(request: (client: Etcd3, options: CallOptions) => Promise<T>, mayRepeat: (error: StorageError) => boolean): Promise<T> {
    const deadline = this.#clock.nowMs() + this.#operationTimeoutMs;
    for (;;) {
      const { client } = this;
      try {
        return await request(client, { deadline });
      } catch (cause) {
        const error = interpretEtcdError(cause);
        if (error.reason !== 'unavailable') throw error;
        this.next(client);
        if (!mayRepeat(error) || this.#clock.nowMs() + retryDelayMs >= deadline) throw error;
      }
      await sleep(this.#clock, retryDelayMs);
    }
  }
}

function clientOptions(tls: EtcdTLS | undefined): Omit<IOptions, 'hosts'> {
  const options: Omit<IOptions, 'hosts'> = {
    faultHandling: { global: noop, host: () => noop },
    grpcOptions: {
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      // finds connections that died without a word; etcd allows one ping in 5 s
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5000,
    },
  };
  if (!tls) return options;
  const { certificateAuthority, certificate, key } = tls;
  return {
    ...options,
    credentials: {
      rootCertificate: Buffer.from(certificateAuthority),
      ...(certificate && key ? { certChain: Buffer.from(certificate), privateKey: Buffer.from(key) } : {}),
    },
  };
}
