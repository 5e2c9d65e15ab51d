import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Random } from '../../../api/base/random.ts';
import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import type { ConfigMap, Pod, ProjectedVolumeSource, Secret, Volume } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { Mounts } from '../../linux/mounts/mounts.ts';
import type { NodeAllocatable, PodAddresses } from '../containers/field-values.ts';
import type { NodePaths } from '../../node-paths.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { volumePageSize } from '../resources/huge-pages.ts';
import { podBounds } from '../resources/pod-resources.ts';
import { type Payload, type PayloadFile, writeAtomically } from './atomic-writer.ts';
import type { ClaimedVolumes } from './claimed-volumes.ts';
import type { CSIVolumes } from './csi-volumes.ts';
import { prepareHostPath } from './host-path.ts';
import type { LocalVolumes } from './local-volumes.ts';
import { configMapFiles, downwardAPIFiles, secretFiles } from './payloads.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { VolumeError } from './volume-error.ts';

export interface PodVolumesDependencies {
  readonly files: HostFiles;
  readonly mounts: Mounts;
  readonly paths: NodePaths;
  readonly random: Random;
  readonly tokens: ServiceAccountTokens;
  readonly claimed: ClaimedVolumes;
  readonly csi: CSIVolumes;
  readonly local: LocalVolumes;
  readonly allocatable: () => NodeAllocatable;
  readonly configMap: (namespace: string, name: string) => Promise<DeepReadonly<ConfigMap> | undefined>;
  readonly secret: (namespace: string, name: string) => Promise<DeepReadonly<Secret> | undefined>;
}

/** The path of each volume of a Pod on the node, by the volume's name. */
export type MountedVolumes = ReadonlyMap<string, string>;

export interface PodVolumes {
  /** Makes all volumes ready and brings their content up to date. May be repeated at any time. Throws VolumeError. */
  setUp(pod: DeepReadonly<Pod>, addresses: PodAddresses): Promise<MountedVolumes>;
  /** Unmounts and removes a Pod's volumes; the files of its containers (termination messages) stay. */
  release(uid: string): Promise<void>;
  /** Unmounts and removes everything of a Pod, its folder included. */
  tearDown(uid: string): Promise<void>;
}

export function createPodVolumes(dependencies: PodVolumesDependencies): PodVolumes {
  const { files, mounts, paths, tokens, claimed, csi, local } = dependencies;
  return {
    async setUp(pod, addresses) {
      const mounted = new Map<string, string>();
      for (const volume of pod.spec?.volumes ?? []) {
        if (volume.image) continue; // the runtime mounts it
        try {
          mounted.set(volume.name, await setUpVolume(dependencies, pod, volume, addresses));
        } catch (error) {
          throw new VolumeError(volume.name, error instanceof Error ? error.message : String(error));
        }
      }
      return mounted;
    },
    async release(uid) {
      tokens.forgetPod(uid);
      claimed.forgetPod(uid);
      await csi.release(uid);
      await local.release(uid);
      const directory = `${paths.pods}/${uid}`;
      for (const point of await mounts.below(directory)) await mounts.unmount(point);
      // A directory that still contains a mount must not be removed, since that would delete the mounted data.
      if ((await mounts.below(directory)).length > 0) throw new Error(`volumes of ${directory} are still mounted`);
      await files.remove(`${directory}/volume-subpaths`);
      await files.remove(`${directory}/volumes`);
      await files.remove(`${directory}/volumeDevices`);
    },
    async tearDown(uid) {
      await this.release(uid);
      await files.remove(`${paths.pods}/${uid}`);
    },
  };
}

async function setUpVolume(
  dependencies: PodVolumesDependencies,
  pod: DeepReadonly<Pod>,
  volume: DeepReadonly<Volume>,
  addresses: PodAddresses,
): Promise<string> {
  const { files } = dependencies;
  const { hostPath, emptyDir } = volume;
  const at = (plugin: string) => `${dependencies.paths.pods}/${pod.metadata.uid}/volumes/kubernetes.io~${plugin}/${volume.name}`;
  if (hostPath) {
    await prepareHostPath(files, hostPath.path, hostPath.type ?? '');
    return hostPath.path;
  }
  const claimed = claimedVolumes(pod).find(({ volume: { name } }) => name === volume.name);
  if (claimed) return dependencies.claimed.setUp(pod, claimed);
  if (volume.csi) return dependencies.csi.setUpInline(pod, volume);
  if (emptyDir) return setUpEmptyDir(dependencies, pod, emptyDir, at('empty-dir'));
  const namespace = pod.metadata.namespace ?? '';
  let payload: Payload;
  let directory: string;
  // Secrets and tokens never reach a disk.
  const inMemory = volume.configMap === undefined;
  if (volume.configMap) {
    const { name = '', defaultMode = 0o644 } = volume.configMap;
    payload = configMapFiles(volume.configMap, await dependencies.configMap(namespace, name), defaultMode);
    directory = at('configmap');
  } else if (volume.secret) {
    const { secretName: name = '', defaultMode = 0o644 } = volume.secret;
    payload = secretFiles({ ...volume.secret, name }, await dependencies.secret(namespace, name), defaultMode);
    directory = at('secret');
  } else if (volume.downwardAPI) {
    const { items = [], defaultMode = 0o644 } = volume.downwardAPI;
    payload = downwardAPIFiles(items, { pod, addresses, allocatable: dependencies.allocatable() }, defaultMode);
    directory = at('downward-api');
  } else if (volume.projected) {
    payload = await projectedFiles(dependencies, pod, volume.projected, addresses);
    directory = at('projected');
  } else {
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
    throw new Error(`volumes of type ${kind} are not supported by this node`);
  }
  if (inMemory) await ensureMemory(dependencies, directory);
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  const unique = Buffer.from(dependencies.random.bytes(6)).toString('hex');
  await writeAtomically(files, directory, payload, { unique, ...(fsGroup === undefined ? {} : { fsGroup }) });
  return directory;
}

async function ensureMemory({ files, mounts }: PodVolumesDependencies, directory: string): Promise<void> {
  if (await mounts.isMounted(directory)) return;
  await files.makeDirectory(directory);
  await mounts.mountMemory(directory, {});
}

async function setUpEmptyDir(
  { files, mounts, allocatable }: PodVolumesDependencies,
  pod: DeepReadonly<Pod>,
  { medium = '', sizeLimit }: { readonly medium?: string; readonly sizeLimit?: string },
  directory: string,
): Promise<string> {
  const isOfHugePages = /^HugePages(-|$)/.test(medium);
  if (medium !== '' && medium !== 'Memory' && !isOfHugePages) throw new Error(`emptyDir medium "${medium}" is not supported by this node`);
  const pageBytes = isOfHugePages ? volumePageSize(medium, podRequests(pod)) : 0;
  const isNew = (await files.facts(directory)) === undefined;
  await files.makeDirectory(directory);
  if (medium === 'Memory' && !(await mounts.isMounted(directory))) {
    const wanted = sizeLimit === undefined ? 0 : quantityValue(sizeLimit);
    await mounts.mountMemory(directory, { sizeBytes: memoryVolumeBytes(wanted, podBounds(pod).memory ?? 0, allocatable().memory) });
  }
  if (isOfHugePages && !(await mounts.isMounted(directory)))
    await mounts.mountHugePages(directory, { pageBytes, ...(sizeLimit === undefined ? {} : { sizeBytes: quantityValue(sizeLimit) }) });
  if (!isNew) return directory;
  // The mode of memory file systems: writable by all users, with the sticky bit.
  await files.setOwner(directory, { mode: medium === 'Memory' ? 0o1777 : 0o777 });
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  if (fsGroup !== undefined) await files.setGroupRecursively(directory, fsGroup);
  return directory;
}

/** The size of a volume in memory (KEP-1967): the least of its own limit, its Pod's and the node's allocatable memory; 0 means no limit. */
export function memoryVolumeBytes(ofVolume: number, ofPod: number, allocatable: number): number {
  return Math.min(...[ofVolume, ofPod, allocatable].filter((limit) => limit > 0));
}

async function projectedFiles(
  dependencies: PodVolumesDependencies,
  pod: DeepReadonly<Pod>,
  { sources = [], defaultMode = 0o644 }: DeepReadonly<ProjectedVolumeSource>,
  addresses: PodAddresses,
): Promise<Payload> {
  const namespace = pod.metadata.namespace ?? '';
  const all = new Map<string, PayloadFile>();
  const add = (files: Payload) => {
    for (const [path, file] of files) all.set(path, file);
  };
  for (const source of sources ?? []) {
    if (source.configMap) {
      add(configMapFiles(source.configMap, await dependencies.configMap(namespace, source.configMap.name ?? ''), defaultMode));
    } else if (source.secret) {
      const { name = '' } = source.secret;
      add(secretFiles({ ...source.secret, name }, await dependencies.secret(namespace, name), defaultMode));
    } else if (source.downwardAPI) {
      add(downwardAPIFiles(source.downwardAPI.items ?? [], { pod, addresses, allocatable: dependencies.allocatable() }, defaultMode));
    } else if (source.serviceAccountToken) {
      const { path, audience = '', expirationSeconds = 3600 } = source.serviceAccountToken;
      const token = await dependencies.tokens.get({
        namespace,
        serviceAccount: pod.spec?.serviceAccountName ?? 'default',
        podName: pod.metadata.name ?? '',
        podUID: pod.metadata.uid ?? '',
        audience,
        expirationSeconds,
      });
      const owner = singleUser(pod);
      const isPrivate = owner !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
      const content = new TextEncoder().encode(token);
      all.set(path, { content, mode: isPrivate ? 0o600 : defaultMode, ...(owner === undefined ? {} : { uid: owner }) });
    } else {
      const kind = Object.keys(source)[0] ?? 'unknown';
      throw new Error(`projected sources of type ${kind} are not supported by this node`);
    }
  }
  return all;
}

/** The user that all containers of the Pod run as, if the Pod sets one: only this user can then read tokens. */
function singleUser({ spec }: DeepReadonly<Pod>): number | undefined {
  const shared = spec?.securityContext?.runAsUser;
  const users = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
    ({ securityContext }) => securityContext?.runAsUser ?? shared,
  );
  const first = users[0];
  return first !== undefined && users.every((user) => user === first) ? first : undefined;
}
