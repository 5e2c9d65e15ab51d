import type { SandboxConfig } from '../../cri/messages.ts';
import { sandboxConfig } from '../containers/sandbox-config.ts';
import { podCgroupName } from '../resources/pod-resources.ts';
import { planContainers, type PodPlan } from './plan-containers.ts';
import type { UserRange } from '../containers/user-namespaces.ts';
import type { PodContext } from './pod-state.ts';

/** The plan for the Pod in its present state. */
export function planFor({ pod, runtimePod, record, probes, services }: PodContext): PodPlan {
  return planContainers({
    pod,
    runtimePod,
    probes: {
      startup: (id) => probes.verdict('startup', id),
      liveness: (id) => probes.verdict('liveness', id),
    },
    isRestarting: (id) => record.restarting.has(id),
    backoffUntil: (container, endedMs) => services.crashBackoff.waitUntil(crashKey(pod.metadata.uid, container), endedMs),
  });
}

/** Key of a container's crash backoff. */
export function crashKey(uid: string | undefined, container: string): string {
  return `${uid}/${container}`;
}

/** The runtime's name of the Pod's RuntimeClass handler; '' for the runtime's default. */
export async function runtimeHandlerOf({ pod, services }: Pick<PodContext, 'pod' | 'services'>): Promise<string> {
  const { runtimeClassName } = pod.spec ?? {};
  return runtimeClassName === undefined ? '' : services.runtimeHandler(runtimeClassName);
}

export async function userRangeOf(context: Pick<PodContext, 'pod' | 'services'>): Promise<UserRange | undefined> {
  const { pod, services } = context;
  return pod.spec?.hostUsers === false ? services.userNamespaces.rangeOf(pod, await runtimeHandlerOf(context)) : undefined;
}

/** The runtime's description of the Pod; the same again for every container of a sandbox. */
export async function sandboxConfigOf({ pod, services }: PodContext, attempt: number): Promise<SandboxConfig> {
  return sandboxConfig(pod, attempt, {
    paths: services.paths,
    // The whole path with either driver, as of a kubelet: containerd reads statistics of sandboxes from there.
    cgroupParent: podCgroupName(services.cgroupNames, pod),
    dns: await services.dns(pod),
    clusterDomain: services.clusterDomain,
    userRange: await userRangeOf({ pod, services }),
  });
}
