import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { runtimeLabels } from './labels.ts';
import { printOf } from './runtime-pod.ts';

interface RuntimeWatcherDependencies {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when the Pod's sandboxes or containers have changed, with the new print (printOf). */
  readonly onChange: (podUID: string, print: string) => void;
  /** The runtime does not answer; resolves when it may be asked again. */
  readonly onUnreachable: (error: unknown, signal: AbortSignal) => Promise<void>;
}

const relistMs = 1000;

/**
 * Reports every change in the runtime: at once by its events, and every second by comparing complete lists, since events are lost when the
 * connection breaks, and older runtimes have none.
 */
export interface RuntimeWatcher {
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds (monotonic) of the last complete list; undefined before the first. */
  lastListedMs(): number | undefined;
  /** Uids of all Pods the runtime has something of, as of the last list. */
  podUIDs(): ReadonlySet<string>;
}

export function createRuntimeWatcher(dependencies: RuntimeWatcherDependencies): RuntimeWatcher {
  const { runtime, clock, logger, onChange, onUnreachable } = dependencies;
  let prints = new Map<string, string>();
  let listedMs: number | undefined;
  const relist = async () => {
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
    const byPod = Map.groupBy([...sandboxes, ...containers], ({ labels }) => labels[runtimeLabels.podUID] ?? '');
    byPod.delete('');
    const fresh = new Map([...byPod].map(([uid, parts]) => [uid, printOf({ sandboxes: parts, containers: [] })]));
    const before = prints;
    prints = fresh;
    listedMs = clock.monotonicMs();
    for (const uid of new Set([...before.keys(), ...fresh.keys()])) {
      if (before.get(uid) !== fresh.get(uid)) onChange(uid, fresh.get(uid) ?? '');
    }
  };
  const relistForever = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await relist();
      } catch (error) {
        logger.warn('the container runtime does not answer', { error });
        if (!signal.aborted) await onUnreachable(error, signal);
      }
      await sleep(clock, relistMs, signal).catch(() => undefined); // aborted
    }
  };
  const followEvents = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        for await (const { pod_sandbox_status: sandbox, containers_statuses: containers } of runtime.containerEvents(signal)) {
          if (sandbox) onChange(sandbox.metadata.uid, printOf({ sandboxes: [sandbox], containers }));
        }
      } catch (error) {
        // Some have no events: lists have to do.
        if (error instanceof CRIError && error.code === 'Unimplemented') return;
        if (!signal.aborted) logger.debug('the stream of container events broke', { error });
      }
      await sleep(clock, relistMs, signal).catch(() => undefined); // aborted
    }
  };
  return {
    run: async (signal) => void (await Promise.all([relistForever(signal), followEvents(signal)])),
    lastListedMs: () => listedMs,
    podUIDs: () => new Set(prints.keys()),
  };
}
