import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import type { Filter, RequestContext } from '../request/request-context.ts';
import { errorResponse } from '../responses/error-response.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

/** Tracks running requests and closes the server: rejects new requests, ends long-running ones, and lets the others finish. */
export interface ShutdownGate {
  /** Announces the shutdown: readiness checks fail, and all requests are still served. */
  announce(): void;
  /** Begins to close; resolves when nothing is under way any more. */
  close(): Promise<void>;
  enter(context: RequestContext): () => void;
  /** Closing, or about to. */
  readonly isShuttingDown: boolean;
  readonly isClosing: boolean;
}

export function createShutdownGate(): ShutdownGate {
  const underWay = new Set<RequestContext>();
  let emptied: (() => void) | undefined;
  let isShuttingDown = false;
  let isClosing = false;
  return {
    announce: () => void (isShuttingDown = true),
    get isShuttingDown() {
      return isShuttingDown;
    },
    get isClosing() {
      return isClosing;
    },
    enter(context) {
      underWay.add(context);
      return () => {
        underWay.delete(context);
        if (underWay.size === 0) emptied?.();
      };
    },
    close() {
      isShuttingDown = true;
      isClosing = true;
      const done = new Promise<void>((resolve) => (emptied = resolve));
      if (underWay.size === 0) emptied?.();
      for (const context of underWay) if (isLongRunning(context.info)) context.abort(shuttingDown());
      return done;
    },
  };
}

function shuttingDown(): StatusError {
  return serviceUnavailable('apiserver is shutting down');
}

/** There is a good chance that the client finds another server: it may come back soon. */
function refusal(context: RequestContext): APIResponse {
  const { headers, ...response } = errorResponse(shuttingDown().status, context.request);
  return { ...response, headers: { ...headers, 'retry-after': '1', 'x-content-type-options': 'nosniff' } };
}

/** The paths of health and metrics, which are answered to the end. */
const alwaysServed = /^\/(readyz|livez|healthz|metrics)(\/|$)/;

export function shutdownGate(gate: ShutdownGate): Filter {
  return (next) => async (context) => {
    // Work inside the process may still finish, but nothing that would wait for the end of the process.
    if (gate.isClosing && (context.request.peer || isLongRunning(context.info))) {
      return alwaysServed.test(context.info.path) && !context.info.isResourceRequest ? next(context) : refusal(context);
    }
    const leave = gate.enter(context);
    try {
      return onBodyEnd(await next(context), leave);
    } catch (error) {
      leave();
      throw error;
    }
  };
}
