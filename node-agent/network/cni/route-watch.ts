import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { FollowedProgram } from '../../linux/processes/follow-program.ts';
import { routeProtocol, vxlanDevice } from './pod-routes.ts';

/** Reports when routes to Pods may have been removed by another program. */
export interface RouteWatch {
  /** Returns a function that removes the listener. */
  onChange(listener: () => void): () => void;
  run(signal: AbortSignal): Promise<void>;
}

interface RouteWatchDependencies {
  /** See followProgram. */
  readonly follow: (program: FollowedProgram, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

/** A service of the network that starts again takes away and makes in several steps: they are let pass. */
const settleMs = 300;
/** Between two looks at the routes, whatever happens. */
const restMs = 2000;

export function createRouteWatch({ follow, clock }: RouteWatchDependencies): RouteWatch {
  const listeners = new Set<() => void>();
  let changed = Promise.withResolvers<void>();
  const note = () => changed.resolve();
  const tell = async (signal: AbortSignal) => {
    for (;;) {
      await changed.promise;
      await sleep(clock, settleMs, signal);
      changed = Promise.withResolvers();
      for (const listener of listeners) listener();
      await sleep(clock, restMs, signal);
    }
  };
  return {
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async run(signal) {
      const program: FollowedProgram = {
        command: 'ip',
        args: ['monitor', 'route'],
        onLine(line) {
          if (concernsPodRoutes(line)) note();
        },
        onGap: note,
      };
      signal.addEventListener('abort', note, { once: true });
      const telling = tell(signal).catch(() => undefined); // aborted
      await follow(program, signal);
      await telling;
    },
  };
}

/**
 * Whether a line of `ip monitor route` may mean that our routes are gone: one of them was deleted, or one of the tunnel's device, or a
 * network of the machine came back. With a network, or with the address in it, the kernel drops the routes through it without a message.
 */
export function concernsPodRoutes(line: string): boolean {
  const words = line.trim().split(/\s+/);
  const after = (word: string) => words[words.indexOf(word) + 1];
  const isDeleted = words[0] === 'Deleted';
  const device = words.includes('dev') ? (after('dev') ?? '') : '';
  const protocol = words.includes('proto') ? after('proto') : undefined;
  if (isDeleted) return protocol === routeProtocol || device === vxlanDevice;
  const destination = words[0] ?? '';
  const isNetwork = protocol === 'kernel' && destination.includes('/') && !/^(fe80:|ff00:)/.test(destination);
  return isNetwork && !/^(veth|lo$)/.test(device);
}
