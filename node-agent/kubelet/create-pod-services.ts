import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { keyOf } from '../../api/meta/object.ts';
import { hasReason } from '../../api/meta/status.ts';
import { quantityMilliValue, quantityValue } from '../../api/base/quantity/arithmetic.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { runtimeClasses } from '../../api/resources/node/v1/runtime-class.ts';
import { readResolverConfiguration } from '../linux/machine/resolver-configuration.ts';
import { createBackoff } from './containers/crash-backoff.ts';
import { podDNS } from './containers/pod-dns.ts';
import { createUserNamespaces } from './containers/user-namespaces.ts';
import { createImagePuller } from './images/image-puller.ts';
import { limitPulls } from './images/limit-pulls.ts';
import type { NodeRegistration } from './node/node-registration.ts';
import { nodeResources } from './node/node-resources.ts';
import type { PodServices } from './pods/pod-services.ts';
import { createStartTurns } from './pods/start-turns.ts';
import type { KubeletDependencies } from './kubelet-dependencies.ts';

/** While one Pod waits for a program that the runtime has started, another one uses the processor. */
const turnsPerCPU = 2;

/** The allocatable resources of the node, as Pods see them. */
export function createAllocatable({ machine, settings }: KubeletDependencies, registration: NodeRegistration): PodServices['allocatable'] {
  const fallback = nodeResources({ ...settings, machine, devices: new Map(), storageBytes: 0, previous: undefined }).allocatable;
  return () => {
    const list = registration.node()?.status?.allocatable ?? fallback;
    return {
      cpu: quantityMilliValue(list['cpu'] ?? '0'),
      memory: quantityValue(list['memory'] ?? '0'),
      ephemeralStorage: quantityValue(list['ephemeral-storage'] ?? '0'),
    };
  };
}

type PodObjects = Pick<PodServices, 'configMap' | 'secret' | 'allocatable' | 'volumes'>;

/** The services that Pods need, except those that know of all Pods. */
export function createPodServices(
  dependencies: KubeletDependencies,
  { configMap, secret, allocatable, volumes }: PodObjects,
): Omit<PodServices, 'services' | 'devices' | 'claims' | 'weighClasses' | 'refusalOf' | 'resizeProblem' | 'statusWritten'> {
  const { settings, client, clock, images, files, machine } = dependencies;
  const hugePageSizes = dependencies.limitsHugePages ? machine.hugePages.map(({ sizeBytes }) => sizeBytes) : [];
  return {
    ...dependencies,
    puller: createImagePuller({
      findCredentials: dependencies.findCredentials,
      images,
      clock,
      backoff: createBackoff(clock),
      inTurn: limitPulls(settings.maxParallelImagePulls),
    }),
    volumes,
    userNamespaces: createUserNamespaces({
      files,
      podsDirectory: dependencies.paths.pods,
      maxPods: settings.maxPods,
      isSupported: async (handler) =>
        (await dependencies.runtime.capabilities()).handlers.some(
          ({ name, features }) => name === handler && features?.user_namespaces === true,
        ),
    }),
    async runtimeHandler(name) {
      try {
        return (await client(runtimeClasses).get({ namespace: '', name })).handler;
      } catch (error) {
        if (hasReason(error, 'NotFound')) throw new Error(`failed to get sandbox runtime: RuntimeClass "${name}" not found`);
        throw error;
      }
    },
    crashBackoff: createBackoff(clock),
    startTurns: createStartTurns({ clock, count: turnsPerCPU * machine.cpus }),
    podCgroupRules: { pidsLimit: settings.pidsLimit, hugePageSizes },
    hostIPs: settings.nodeIPs,
    clusterDomain: settings.clusterDomain,
    version: settings.version.replace(/^v(\d+\.\d+).*$/, '$1'),
    defaultSeccomp: settings.seccompDefault ? 'RuntimeDefault' : 'Unconfined',
    swap: {
      hugePageSizes,
      behavior: settings.swapBehavior,
      limitsSwap: dependencies.limitsSwap,
      singleProcessOOMKill: settings.singleProcessOOMKill,
      cgroupVersion: dependencies.cgroups.version,
      // Swap may be switched on at any time.
      get machineSwapBytes() {
        return dependencies.usage.lastSwapBytes() ?? machine.swapBytes;
      },
      machineMemoryBytes: machine.memoryBytes,
    },
    allocatable,
    dns: async (pod) =>
      podDNS(pod, {
        servers: settings.clusterDNS,
        domain: settings.clusterDomain,
        hostConfig: (await readResolverConfiguration(files, settings.resolvConf)).text,
      }),
    nodeHosts: async () => (await files.findText('/etc/hosts')) ?? '',
    configMap,
    secret,
    async deleteFromAPI(pod) {
      const preconditions = pod.metadata.uid === undefined ? {} : { preconditions: { uid: pod.metadata.uid } };
      try {
        await ignoreNotFound(client(pods).delete(keyOf(pod), { gracePeriodSeconds: 0, ...preconditions }));
      } catch (error) {
        if (!hasReason(error, 'Conflict')) throw error; // another Pod has its name by now
      }
    },
  };
}
