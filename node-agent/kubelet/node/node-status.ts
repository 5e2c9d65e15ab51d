import { formatTime } from '../../../api/meta/time.ts';
import type { ContainerImage, NodeCondition, NodeStatus } from '../../../api/types/core-v1.ts';
import type { Image } from '../../cri/messages.ts';
import type { RuntimeCapabilities } from '../../cri/runtime.ts';
import type { NodePressure } from '../eviction/thresholds.ts';
import { nodeResources, type NodeResourcesInput } from './node-resources.ts';

interface NodeStatusInput extends NodeResourcesInput {
  readonly nodeName: string;
  /** At most one address of each family. */
  readonly nodeIPs: readonly string[];
  readonly port: number;
  readonly kubeletVersion: string;
  /** `containerd://1.7.24` */
  readonly runtimeVersion: string;
  readonly capabilities: RuntimeCapabilities;
  readonly images: readonly Image[];
  /** Volumes that must not be detached. */
  readonly volumesInUse: readonly string[];
  /** The resources of which there is too little left. */
  readonly pressures: ReadonlySet<NodePressure>;
  /** Reasons why the node cannot run Pods; empty when it is ready. */
  readonly problems: readonly string[];
  readonly nowMs: number;
}

const maxImages = 50;

/** A node's status as it reports it. */
export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { machine, nodeName, nodeIPs, port, kubeletVersion, runtimeVersion } = input;
  return {
    addresses: [...nodeIPs.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: nodeName }],
    ...nodeResources(input),
    conditions: nodeConditions(input),
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: {
      machineID: machine.machineID,
      systemUUID: machine.systemUUID,
      bootID: machine.bootID,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
      swap: { capacity: machine.swapBytes },
    },
    ...runtimeFeatures(input),
    images: nodeImages(input.images),
    // Fields that are left out stay as they were.
    ...(input.volumesInUse.length > 0 || input.previous?.volumesInUse ? { volumesInUse: [...input.volumesInUse] } : {}),
  };
}

function runtimeFeatures({ capabilities, previous }: NodeStatusInput): Pick<NodeStatus, 'features' | 'runtimeHandlers'> {
  const { handlers, supplementalGroupsPolicy } = capabilities;
  const runtimeHandlers = handlers.map(({ name, features }) => ({
    name,
    features: {
      recursiveReadOnlyMounts: features?.recursive_read_only_mounts ?? false,
      userNamespaces: features?.user_namespaces ?? false,
    },
  }));
  // Fields that are left out stay as they were.
  return { features: { supplementalGroupsPolicy }, ...(handlers.length > 0 || previous?.runtimeHandlers ? { runtimeHandlers } : {}) };
}

function nodeConditions({ problems, pressures, nowMs, previous }: NodeStatusInput): NodeCondition[] {
  const isReady = problems.length === 0;
  const verdicts: Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    pressureCondition(pressures, 'MemoryPressure', 'KubeletHasInsufficientMemory', 'KubeletHasSufficientMemory'),
    pressureCondition(pressures, 'DiskPressure', 'KubeletHasDiskPressure', 'KubeletHasNoDiskPressure'),
    pressureCondition(pressures, 'PIDPressure', 'KubeletHasInsufficientPID', 'KubeletHasSufficientPID'),
    isReady
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? ''),
        },
  ];
  return verdicts.map((verdict) => {
    const before = previous?.conditions?.find(({ type }) => type === verdict.type);
    const now = formatTime(nowMs);
    const hasChanged = before?.status !== verdict.status;
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: hasChanged ? now : (before?.lastTransitionTime ?? now) };
  });
}

const pressureTexts: Readonly<Record<string, string>> = {
  KubeletHasInsufficientMemory: 'kubelet has insufficient memory available',
  KubeletHasSufficientMemory: 'kubelet has sufficient memory available',
  KubeletHasDiskPressure: 'kubelet has disk pressure',
  KubeletHasNoDiskPressure: 'kubelet has no disk pressure',
  KubeletHasInsufficientPID: 'kubelet has insufficient PID available',
  KubeletHasSufficientPID: 'kubelet has sufficient PID available',
};

function pressureCondition(pressures: ReadonlySet<NodePressure>, type: NodePressure, whenTrue: string, whenFalse: string) {
  const reason = pressures.has(type) ? whenTrue : whenFalse;
  return { type, status: pressures.has(type) ? 'True' : 'False', reason, message: pressureTexts[reason] ?? '' } as const;
}

/** The largest images, whose presence matters most to a scheduler. */
function nodeImages(images: readonly Image[]): ContainerImage[] {
  return [...images]
    .filter(({ repo_tags, repo_digests }) => repo_tags.length + repo_digests.length > 0)
    .sort((a, b) => Number(b.size) - Number(a.size))
    .slice(0, maxImages)
    .map(({ repo_digests, repo_tags, size }) => ({ names: [...repo_digests, ...repo_tags].slice(0, 5), sizeBytes: Number(size) }));
}
