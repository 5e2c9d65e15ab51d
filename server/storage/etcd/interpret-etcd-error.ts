import { GRPCError } from './grpc-error.ts';
import type { StorageErrorReason } from '../storage.ts';
import { tooLargeMessage, tooManyOperationsMessage } from '../request-size.ts';
import { StorageError } from '../storage.ts';

/** etcd uses one gRPC code for several errors; their texts tell them apart. The first match counts. */
const reasons: readonly [text: RegExp, reason: StorageErrorReason][] = [
  [/required revision has been compacted/i, 'compacted'],
  [/required revision is a future revision/i, 'future-revision'],
  [/database space exceeded/i, 'no-space'],
  [/corrupt/i, 'corrupt'],
  [/deadline.?exceeded|request timed out/i, 'timeout'],
];

export function interpretEtcdError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes(tooManyOperationsMessage)) return new StorageError('too-large', tooManyOperationsMessage, { cause: error });
  if (message.includes(tooLargeMessage)) return new StorageError('too-large', tooLargeMessage, { cause: error });
  const reason = reasons.find(([text]) => text.test(message))?.[1] ?? 'unavailable';
  return new StorageError(reason, `etcd: ${message}`, { cause: error });
}

/** Whether the request cannot have reached a member, so that even a write may be sent again. */
export function wasNeverSent(error: StorageError): boolean {
  if (error.cause instanceof GRPCError) return !error.cause.wasSent;
  return /no connection established|name resolution failed/i.test(error.message);
}
