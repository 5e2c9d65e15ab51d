import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { Filter, RequestContext } from '../request-context.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

/** Knows what is under way, and closes: turns new requests away, ends long-running ones, lets the others finish. */
export interface ShutdownGate {
  /** Begins to close; resolves when nothing is under way any more. */
  close(): Promise<void>;
  enter(context: RequestContext): () => void;
  readonly isClosing: boolean;
}

export function createShutdownGate(): ShutdownGate {
  const underWay = new Set<RequestContext>();
  let emptied: (() => void) | undefined;
  let isClosing = false;
  return {
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
      isClosing = true;
      const done = new Promise<void>((resolve) => (emptied = resolve));
      if (underWay.size === 0) emptied?.();
      for (const context of underWay) if (isLongRunning(context.info)) context.abort(shuttingDown());
      return done;
    },
  };
}

function shuttingDown(): StatusError {
  return serviceUnavailable('the server is shutting down');
}

export function shutdownGate(gate: ShutdownGate): Filter {
  return (next) => async (context) => {
    // Work inside the process may still finish, but nothing that would wait for the end of the process.
    if (gate.isClosing && (context.request.peer || isLongRunning(context.info))) {
      const { status } = shuttingDown();
      throw new StatusError({ ...status, details: { retryAfterSeconds: 1 } });
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
