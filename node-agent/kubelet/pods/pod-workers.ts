import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createPodWorker, type PodWorker, type PodWorkerDependencies } from './pod-worker.ts';

/** All Pods of the node, each with its own worker, by uid. */
export interface PodWorkers {
  /** A Pod of the API, new or changed. */
  update(pod: DeepReadonly<Pod>): void;
  /** The API has no such Pod any more. */
  gone(uid: string): void;
  find(uid: string): PodWorker | undefined;
  findByName(namespace: string, name: string): PodWorker | undefined;
  all(): readonly PodWorker[];
  /** Ends the workers; Pods go on. */
  stop(): Promise<void>;
}

interface PodWorkersDependencies extends Omit<PodWorkerDependencies, 'onRemoved'> {
  readonly onRemoved: (uid: string, pod: DeepReadonly<Pod>) => void;
}

export function createPodWorkers(dependencies: PodWorkersDependencies): PodWorkers {
  const workers = new Map<string, PodWorker>();
  return {
    update(pod) {
      const { uid = '' } = pod.metadata;
      const present = workers.get(uid);
      if (present) return present.update(pod);
      const onRemoved = () => {
        workers.delete(uid);
        dependencies.onRemoved(uid, pod);
      };
      workers.set(uid, createPodWorker(pod, { ...dependencies, onRemoved }));
    },
    gone: (uid) => workers.get(uid)?.gone(),
    find: (uid) => workers.get(uid),
    findByName: (namespace, name) =>
      [...workers.values()].findLast((worker) => worker.pod().metadata.name === name && worker.pod().metadata.namespace === namespace),
    all: () => [...workers.values()],
    stop: async () => void (await Promise.all([...workers.values()].map((worker) => worker.stop()))),
  };
}
