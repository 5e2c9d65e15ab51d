import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { ConfigMap, Pod, Secret, Service } from '../../../api/types/core-v1.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { Cgroups } from '../../linux/cgroups/cgroups.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { Mounts } from '../../linux/mounts/mounts.ts';
import type { Backoff } from '../containers/crash-backoff.ts';
import type { NodeAllocatable } from '../containers/field-values.ts';
import type { PodClaims } from '../../plugins/dra/pod-claims.ts';
import type { DeviceManager } from '../../plugins/devices/device-manager.ts';
import type { UserNamespaces } from '../containers/user-namespaces.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { NodePaths } from '../../node-paths.ts';
import type { PodCgroupRules } from '../resources/pod-resources.ts';
import type { ContainerRules } from '../resources/runtime-resources.ts';
import type { PendingResize } from '../resources/allocation.ts';
import type { Tallies } from '../stats/tallies.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { StartTurns } from './start-turns.ts';
import type { ResolvConf } from '../../linux/machine/parse-resolv-conf.ts';

/** The services that the states of a Pod use: the node, the runtime and the API as far as Pods need them. */
export interface PodServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tallies: Tallies;
  readonly runtime: ContainerRuntime;
  readonly puller: ImagePuller;
  readonly claims: PodClaims;
  readonly devices: Pick<DeviceManager, 'devicesOf' | 'prepareStart'>;
  readonly userNamespaces: UserNamespaces;
  readonly startTurns: StartTurns;
  /** The runtime's handler for a RuntimeClass. Throws if there is no such class. */
  readonly runtimeHandler: (runtimeClass: string) => Promise<string>;
  readonly volumes: PodVolumes;
  readonly files: HostFiles;
  readonly mounts: Mounts;
  readonly cgroups: Cgroups;
  readonly paths: NodePaths;
  /** Backoff of crashed containers. */
  readonly crashBackoff: Backoff;
  readonly cgroupNames: CgroupNames;
  /** Sets the CPU weights of the QoS classes by the present requests of Pods. */
  readonly weighClasses: () => Promise<void>;
  readonly podCgroupRules: PodCgroupRules;
  /** The addresses of the node, the default one first. */
  readonly hostIPs: readonly string[];
  readonly clusterDomain: string;
  /** Version of the agent, e.g. 1.36, in the User-Agent of probes. */
  readonly version: string;
  readonly swap: ContainerRules;
  /** Of containers that name no seccomp profile. */
  readonly defaultSeccomp: 'RuntimeDefault' | 'Unconfined';
  readonly allocatable: () => NodeAllocatable;
  readonly dns: (pod: DeepReadonly<Pod>) => Promise<ResolvConf>;
  readonly nodeHosts: () => Promise<string>;
  readonly services: () => readonly DeepReadonly<Service>[];
  readonly configMap: (namespace: string, name: string) => Promise<DeepReadonly<ConfigMap> | undefined>;
  readonly secret: (namespace: string, name: string) => Promise<DeepReadonly<Secret> | undefined>;
  /** Why the node cannot take the Pod, if so. */
  readonly refusalOf: (pod: DeepReadonly<Pod>) => Promise<{ readonly reason: string; readonly message: string } | undefined>;
  /** Resolves when NetworkPolicies hold for a Pod that has just been given its addresses: nothing in it runs before. */
  readonly isolatePod: (pod: DeepReadonly<Pod>, addresses: readonly string[], start: { readonly isNew: boolean }) => Promise<void>;
  /** Called when the Pod has no sandbox any more: its addresses may belong to another one. */
  readonly releasePod: (uid: string) => void;
  /** The reason why the node cannot give the Pod the requested resources; undefined if it can. */
  readonly resizeProblem: (pod: DeepReadonly<Pod>) => PendingResize | undefined;
  /** Resolves when the API has the status last computed. */
  readonly statusWritten: (uid: string) => Promise<void>;
  /** Deletes the stopped Pod from the API, if it is still the same Pod. */
  readonly deleteFromAPI: (pod: DeepReadonly<Pod>) => Promise<void>;
}
