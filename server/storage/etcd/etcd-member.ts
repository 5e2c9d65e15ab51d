import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { CallOptions, ChannelCredentials, ClientOptions } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ICallable } from 'etcd3/lib/rpc.js';
import { KVClient, LeaseClient, MaintenanceClient } from 'etcd3/lib/rpc.js';
import type { Clock } from '../../../api/base/clock.ts';
import { assertSentSize } from '../request-size.ts';
import type { CommitResult, Condition, RangeResult } from '../storage.ts';
import { connectSocket } from './connect-socket.ts';
import { decodeRange, decodeTxn, encodeRange, encodeTxn, type EtcdOperation, type EtcdRange, kvMethods } from './etcd-kv.ts';
import { etcdMethod } from './etcd-protocol.ts';
import { createGRPCChannel, type GRPCStream } from './grpc-channel.ts';
import type { EtcdTLS } from './etcd-tls.ts';

/** Milliseconds of the wall clock. */
interface Deadline {
  readonly deadline: number;
}

/**
 * A member of a cluster. Its connections are made when needed and made again when lost: our own for frequent requests, and one of the etcd3
 * client for the others.
 */
export interface EtcdMember {
  range(request: EtcdRange, options: Deadline): Promise<RangeResult>;
  txn(conditions: readonly Condition[], operations: readonly EtcdOperation[], options: Deadline): Promise<CommitResult>;
  /** A new watch stream, whose messages are those of etcd-kv.ts. Fails when it is iterated. */
  watch(): GRPCStream;
  /** For compaction. */
  readonly kv: KVClient;
  readonly leases: LeaseClient;
  readonly maintenance: MaintenanceClient;
  close(): void;
}

const channelOptions: ClientOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // finds connections that were lost silently; etcd allows one ping in 5 s
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
};

/**
 * etcd3's clients on a connection of our own: its pool picks a random member for each call, closes connections that other
 * calls use, and cannot verify a server that is addressed by IP.
 */
export function createEtcdMember(endpoint: string, tls: EtcdTLS | undefined, clock: Clock): EtcdMember {
  const { protocol, hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const scheme = { 0: 'dns', 4: 'ipv4', 6: 'ipv6' }[isIP(host)] ?? 'dns';
  const target = `${scheme}:${hostname}:${port || '2379'}`;
  const isSecure = protocol === 'https:';
  const client = new Client(target, isSecure ? secured(tls, host) : credentials.createInsecure(), {
    ...channelOptions,
    // TLS knows no IP addresses as server names, and Node refuses them; whom the certificate names is checked all the same
    ...(isSecure && isIP(host) ? { 'grpc.ssl_target_name_override': 'etcd.invalid' } : {}),
  });
  const callable: ICallable<unknown> = {
    exec: <T>(service: string, method: string, request: unknown, options?: CallOptions) =>
      new Promise<T>((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = etcdMethod<unknown, T>(service, method);
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options ?? {}, (error, response) => {
          if (error || response === undefined) reject(error ?? new Error('no response'));
          else resolve(response);
        });
      }),
    withConnection: () => Promise.reject(new TypeError('only unary calls')),
    markFailed() {},
    callOptionsFactory: undefined,
  };
  const channel = createGRPCChannel({
    clock,
    authority: `${hostname}:${port || '2379'}`,
    scheme: isSecure ? 'https' : 'http',
    connect: () => connectSocket({ host, port: Number(port || '2379'), tls: isSecure ? (tls ?? 'defaults') : undefined, clock }),
  });
  return {
    range: async (request, { deadline }) => decodeRange(await channel.unary(kvMethods.range, encodeRange(request), deadline)),
    async txn(conditions, operations, { deadline }) {
      const request = encodeTxn(conditions, operations);
      assertSentSize(request.length);
      return decodeTxn(await channel.unary(kvMethods.txn, request, deadline));
    },
    watch: () => channel.stream(kvMethods.watch),
    kv: new KVClient(callable),
    leases: new LeaseClient(callable),
    maintenance: new MaintenanceClient(callable),
    close() {
      channel.close();
      client.close();
    },
  };
}

function secured(tls: EtcdTLS | undefined, host: string): ChannelCredentials {
  const buffer = (pem: Uint8Array | undefined) => (pem ? Buffer.from(pem) : null);
  return credentials.createSsl(buffer(tls?.certificateAuthority), buffer(tls?.key), buffer(tls?.certificate), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
  });
}
