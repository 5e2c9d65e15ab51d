import type { Logger } from '../../../api/base/logger.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { statusOf } from '../../../api/meta/status-errors.ts';
import type { Filter } from '../request/request-context.ts';
import { errorResponse } from '../responses/error-response.ts';

/**
 * Converts every error that inner filters throw into a response. An error that is not a StatusError is a bug: it is logged and answered
 * with 500.
 */
export function errorRecovery(logger: Logger): Filter {
  return (next) => async (context) => {
    try {
      return await next(context);
    } catch (error) {
      // The answer to a request whose caller has gone is not read; a reason of our own for ending it counts.
      const reason = context.signal.aborted && context.signal.reason instanceof StatusError ? context.signal.reason : error;
      if (!(reason instanceof StatusError) && !context.signal.aborted) {
        logger.error('request failed', { method: context.request.method, path: context.request.path, error });
      }
      return errorResponse(statusOf(reason), context.request);
    }
  };
}
