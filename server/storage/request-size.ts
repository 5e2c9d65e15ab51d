import { StorageError, type Transaction } from './storage.ts';

/** etcd refuses a request beyond this (its flag --max-request-bytes), and so do the stores that stand in its place. */
const maxRequestBytes = 1.5 * 1024 * 1024;
/** Beyond this the client of etcd that Kubernetes uses does not even send it. */
const maxSentBytes = 2 * 1024 * 1024;
/** About what the message adds to keys and values for each of them. */
const overheadBytes = 24;

/** etcd refuses more conditions or operations in one transaction (its flag --max-txn-ops), and so do the stores in its place. */
const maxTransactionOperations = 128;

/** Throws StorageError 'too-large' for a transaction of more parts than etcd would take. */
export function assertOperationCount({ conditions, operations }: Transaction): void {
  if (conditions.length > maxTransactionOperations || operations.length > maxTransactionOperations)
    throw new StorageError('too-large', tooManyOperationsMessage);
}

/** Throws StorageError 'too-large' for what etcd would not take, with the message that clients of Kubernetes see. */
export function assertRequestSize({ conditions, operations }: Transaction): void {
  let bytes = 0;
  for (const { key } of conditions) bytes += 2 * (key.length + overheadBytes);
  for (const operation of operations)
    bytes += operation.key.length + overheadBytes + (operation.type === 'put' ? operation.value.length : 0);
  assertSentSize(bytes);
  if (bytes > maxRequestBytes) throw new StorageError('too-large', tooLargeMessage);
}

/** Refuses a request that is too large, as assertRequestSize does, where etcd itself says whether it takes the request. */
export function assertSentSize(bytes: number): void {
  if (bytes <= maxSentBytes) return;
  const reason = `trying to send message larger than max (${bytes} vs. ${maxSentBytes})`;
  throw new StorageError('too-large', `rpc error: code = ResourceExhausted desc = ${reason}`);
}

export const tooLargeMessage = 'etcdserver: request is too large';

export const tooManyOperationsMessage = 'etcdserver: too many operations in txn request';
