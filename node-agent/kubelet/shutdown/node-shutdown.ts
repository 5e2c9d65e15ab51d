import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { endPods, type EndPod, suspendPod, terminatePod } from './shut-down.ts';
import type { ShutdownPeriods } from './shutdown-periods.ts';

/** The end of the Pods of a node, with the machine or with the agent. */
export interface NodeShutdown {
  /** Whether the node accepts no Pods and is not ready, because its machine is shutting down. */
  isShuttingDown(): boolean;
  /** Ends all Pods within their periods and accepts no more, since the machine is shutting down. */
  shutDown(periods: ShutdownPeriods): Promise<void>;
  /** The machine stays up after all: Pods are taken again. Those that were ended stay so. */
  cancel(): void;
  /**
   * Stops all Pods in order without a change in the API: the next agent starts them again. During a shutdown of the machine it only waits
   * for the end of `shutDown`.
   */
  suspend(periods: ShutdownPeriods): Promise<void>;
}

interface NodeShutdownDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workers: () => readonly PodWorker[];
  readonly nodeEvent: (type: 'Normal', reason: string, message: string) => void;
  /** The node's condition is another now. */
  readonly onChange: () => void;
}

export function createNodeShutdown({ clock, logger, workers, nodeEvent, onChange }: NodeShutdownDependencies): NodeShutdown {
  let isShuttingDown = false;
  /** The end of the Pods with the machine, once it has begun. */
  let ending: Promise<void> | undefined;
  const endAll = (periods: ShutdownPeriods, end: EndPod) =>
    endPods(workers(), {
      ...{ periods, end, clock },
      onPeriod: (group, seconds) => logger.warn('waiting for Pods to end', { seconds, pods: group.map(nameOf) }),
    });
  return {
    isShuttingDown: () => isShuttingDown,
    async shutDown(periods) {
      isShuttingDown = true;
      nodeEvent('Normal', 'NodeShutdown', 'Shutdown manager detected shutdown event');
      onChange();
      ending = endAll(periods, terminatePod);
      await ending;
    },
    cancel() {
      if (!isShuttingDown) return;
      isShuttingDown = false;
      ending = undefined;
      nodeEvent('Normal', 'NodeShutdown', 'Shutdown manager detected shutdown cancellation');
      onChange();
    },
    // Pods that end with the machine have their time already, and get none on top when the agent is stopped with it.
    suspend: (periods) => ending ?? endAll(periods, suspendPod),
  };
}

function nameOf(worker: PodWorker): string {
  const { namespace = '', name = '' } = worker.pod().metadata;
  return `${namespace}/${name}`;
}
