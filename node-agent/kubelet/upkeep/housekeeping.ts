import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ImageFileSystem } from '../../cri/runtime.ts';
import { createEvictionManager, type RuntimeDirectories } from '../eviction/eviction-manager.ts';
import type { NodePressure } from '../eviction/thresholds.ts';
import { createImageCollector } from '../images/collect-images.ts';
import { removeEndedContainers } from '../pods/remove-ended-containers.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import type { KubeletDependencies } from '../kubelet-dependencies.ts';

interface HousekeepingParts {
  readonly nodeEvent: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly workers: () => PodWorkers;
  readonly onPressure: () => void;
}

/** Keeps the node from filling up: removes unused images, and evicts Pods where that is not enough. */
export interface Housekeeping {
  run(signal: AbortSignal): Promise<void>;
  pressures(): ReadonlySet<NodePressure>;
}

export function createHousekeeping(dependencies: KubeletDependencies, { nodeEvent, workers, onPressure }: HousekeepingParts): Housekeeping {
  const { settings, images, tallies, paths } = dependencies;
  const collector = createImageCollector({
    ...dependencies,
    settings: settings.imageCollection,
    volumeImages: () =>
      new Set(
        workers()
          .all()
          .flatMap((worker) => volumeImages(worker.pod())),
      ),
    onRemoved: (reason) => tallies.add('kubelet_image_garbage_collected_total', [reason]),
    onProblem: (reason, message) => nodeEvent('Warning', reason, message),
  });
  let directories: RuntimeDirectories | undefined;
  const eviction = createEvictionManager({
    ...dependencies,
    settings: settings.eviction,
    workers: { all: () => workers().all() },
    podsDirectory: paths.pods,
    podsCgroup: dependencies.cgroupNames.root,
    runtimeDirectories: async () => (directories ??= directoriesOf(await images.imageFileSystem())),
    async reclaimDisk(what) {
      if (what.containers) await removeEndedContainers(dependencies, workers().all());
      if (what.images) await collector.removeUnused();
    },
    onThreshold: (resource) => nodeEvent('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`),
    onEvicted: (signal) => tallies.add('kubelet_evictions', [signal]),
    onPressure,
  });
  return {
    pressures: () => eviction.pressures(),
    run: async (signal) => void (await Promise.all([collector.run(signal), eviction.run(signal)])),
  };
}

function directoriesOf(fileSystem: ImageFileSystem | undefined): RuntimeDirectories {
  const { mountpoint: images, layersMountpoint: layers } = fileSystem ?? {};
  return { ...(images === undefined ? {} : { images }), ...(layers === undefined ? {} : { layers }) };
}

/** A Pod that has ended will not be started again. */
function volumeImages(pod: DeepReadonly<Pod>): string[] {
  return isPodFinished(pod) ? [] : (pod.spec?.volumes ?? []).flatMap(({ image }) => image?.reference ?? []);
}
