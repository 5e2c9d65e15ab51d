import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod, Volume } from '../../../api/types/core-v1.ts';
import { fileSystemOf, type FileSystemStats } from './file-system.ts';
import type { DiskUsage, HostFiles } from '../../linux/files/host-files.ts';
import { type NodePaths, podLogDirectory } from '../../node-paths.ts';

export interface VolumeUsage extends DiskUsage {
  readonly name: string;
  /** Whether it counts as the Pod's ephemeral storage: it is on the node's disk and is deleted with the Pod. */
  readonly isLocal: boolean;
  /** The name of the PersistentVolumeClaim, if the volume is one. */
  readonly claim?: string;
  /** Usage of a volume's own file system. */
  readonly fileSystem?: FileSystemStats;
}

export interface PodStorageUsage {
  readonly volumes: readonly VolumeUsage[];
  /** By container. */
  readonly logs: ReadonlyMap<string, DiskUsage>;
}

export interface PodStorageReader {
  /** Looks at the disk, unless it has done so within the last `maxAgeMs`. */
  read(pod: DeepReadonly<Pod>, maxAgeMs: number): Promise<PodStorageUsage>;
  /** The volumes of claims. `pathOf` returns the path of a volume by its name in the Pod. */
  claims(pod: DeepReadonly<Pod>, pathOf: (volume: string) => string | undefined): Promise<VolumeUsage[]>;
  forget(uid: string): void;
}

/** How much of the disk Pods take up. Walks folders, so it is done for those that are asked about only. */
export function createPodStorageReader(dependencies: {
  readonly files: HostFiles;
  readonly paths: NodePaths;
  readonly clock: Clock;
}): PodStorageReader {
  const { files, paths, clock } = dependencies;
  const known = new Map<string, { readonly atMs: number; readonly usage: Promise<PodStorageUsage> }>();
  const measure = async (pod: DeepReadonly<Pod>): Promise<PodStorageUsage> => {
    const { uid = '', name = '', namespace = '' } = pod.metadata;
    const volumes: VolumeUsage[] = [];
    for (const volume of pod.spec?.volumes ?? []) {
      const plugin = pluginOf(volume);
      if (plugin === undefined) continue;
      const path = `${paths.pods}/${uid}/volumes/kubernetes.io~${plugin}/${volume.name}`;
      const usage = await files.diskUsage(path);
      if (usage) volumes.push({ name: volume.name, isLocal: isLocal(volume), ...usage });
    }
    const directory = podLogDirectory(paths, { uid, name, namespace });
    const logs = new Map<string, DiskUsage>();
    for (const container of await files.names(directory)) {
      const usage = await files.diskUsage(`${directory}/${container}`);
      if (usage) logs.set(container, usage);
    }
    return { volumes, logs };
  };
  return {
    read(pod, maxAgeMs) {
      const { uid = '' } = pod.metadata;
      const before = known.get(uid);
      if (before && clock.monotonicMs() - before.atMs < maxAgeMs) return before.usage;
      const usage = measure(pod);
      known.set(uid, { atMs: clock.monotonicMs(), usage });
      usage.catch(() => known.delete(uid)); // who asks next tries again
      return usage;
    },
    claims: (pod, pathOf) => readClaims(files, pod, pathOf),
    forget: (uid) => void known.delete(uid),
  };
}

async function readClaims(
  files: HostFiles,
  pod: DeepReadonly<Pod>,
  pathOf: (volume: string) => string | undefined,
): Promise<VolumeUsage[]> {
  const found: VolumeUsage[] = [];
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec?.volumes ?? []) {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${name}` : undefined);
    const path = pathOf(name);
    if (claim === undefined || path === undefined) continue;
    if ((await files.facts(path))?.kind !== 'directory') continue; // a block device has no files
    const fileSystem = fileSystemOf(await files.capacity(path));
    found.push({ name, claim, isLocal: false, fileSystem, bytes: fileSystem.usedBytes, inodes: fileSystem.inodesUsed });
  }
  return found;
}

function pluginOf({ emptyDir, configMap, secret, downwardAPI, projected }: DeepReadonly<Volume>): string | undefined {
  if (emptyDir) return 'empty-dir';
  if (configMap) return 'configmap';
  if (secret) return 'secret';
  if (downwardAPI) return 'downward-api';
  return projected ? 'projected' : undefined;
}

/** Secrets, tokens and memory are not on the disk. */
export function isLocal({ emptyDir, configMap }: DeepReadonly<Volume>): boolean {
  return configMap !== undefined || (emptyDir !== undefined && !emptyDir.medium);
}
