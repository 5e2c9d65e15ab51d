import { StorageError, type Transaction } from './storage.ts';

/** etcd refuses larger requests (its flag --max-request-bytes), and so do the other stores. */
const maxRequestBytes = 1.5 * 1024 * 1024;
/** Beyond this the client of etcd that Kubernetes uses does not even send it. */
const maxSentBytes = 2 * 1024 * 1024;
/** The approximate size that the message adds for each key and value. */
const overheadBytes = 24;

/** etcd refuses more conditions or operations in one transaction (its flag --max-txn-ops), and so do the other stores. */
const maxTransactionOperations = 128;

/** Throws StorageError 'too-large' for a transaction of more parts than etcd would take. */
export function assertOperationCount({ conditions, operations }: Transaction): void {
  if (conditions.length > maxTransactionOperations || operations.length > maxTransactionOperations)
    throw new StorageError('too-large', tooManyOperationsMessage);
}

/** Throws StorageError 'too-large' for a request that etcd would refuse, with the message that clients of Kubernetes see. */
export function assertRequestSize({ conditions, operations }: Transaction): void {
  let bytes = 0;
  for (const { key } of conditions) bytes += 2 * (key.length + overheadBytes);
  for (const operation of operations)
    bytes += operation.key.length + overheadBytes + (operation.type === 'put' ? operation.value.length : 0);
  assertSentSize(bytes);
  if (bytes > maxRequestBytes) throw new StorageError('too-large', tooLargeMessage);
}

/** Refuses a request that is too large, as assertRequestSize does, for a store where etcd itself checks the operations. */
export function assertSentSize(bytes: number): void {
  if (bytes <= maxSentBytes) return;
  const reason = `trying to send message larger than max (${bytes} vs. ${maxSentBytes})`;
  throw new StorageError('too-large', `rpc error: code = ResourceExhausted desc = ${reason}`);
}

export const tooLargeMessage = 'etcdserver: request is too large';

export const tooManyOperationsMessage = 'etcdserver: too many operations in txn request';
