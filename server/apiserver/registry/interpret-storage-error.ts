import {
  internalError,
  resourceExpired,
  serverTimeout,
  serviceUnavailable,
  timeout,
  unexpectedError,
} from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { StorageError } from '../../storage/storage.ts';

/** The only place where a StorageError is converted into the error that clients see; other errors pass through. */
export function interpretStorageError(error: unknown, definition: ResourceDefinition): unknown {
  if (!(error instanceof StorageError)) return error;
  switch (error.reason) {
    case 'compacted':
      return resourceExpired('The resourceVersion for the provided watch is too old.');
    case 'future-revision':
      return timeout(error.message, 1);
    case 'timeout':
      // Without Retry-After, upon which clients would repeat a write that may have been done.
      return timeout(error.message);
    case 'unavailable':
      return unexpectedError(error.message);
    case 'closed':
      return serviceUnavailable(error.message);
    case 'no-space':
      return serverTimeout(definition, 'write', 5, error.message);
    case 'corrupt':
      return internalError(error.message);
    case 'too-large':
      return unexpectedError(error.message);
  }
}
