import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { NamespaceOptions, PortMapping, SandboxConfig, SecurityProfile, SupplementalGroupsPolicy } from '../../cri/messages.ts';
import { type NodePaths, podLogDirectory } from '../../node-paths.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { userNamespaceOptions, type UserRange } from './user-namespaces.ts';
import type { ResolvConf } from '../../linux/machine/parse-resolv-conf.ts';

interface SandboxSurroundings {
  readonly paths: NodePaths;
  readonly cgroupParent: string;
  readonly dns: ResolvConf | undefined;
  readonly clusterDomain: string;
  readonly userRange?: UserRange | undefined;
}

/** The runtime's description of a Pod as a whole: names, network, namespaces. `attempt` counts the sandboxes of the Pod. */
export function sandboxConfig(pod: DeepReadonly<Pod>, attempt: number, surroundings: SandboxSurroundings): SandboxConfig {
  const { paths, cgroupParent, dns } = surroundings;
  const { metadata, spec } = pod;
  const identity = { name: metadata.name ?? '', uid: metadata.uid ?? '', namespace: metadata.namespace ?? '' };
  const security = spec?.securityContext;
  const runAsUser = security?.runAsUser;
  const runAsGroup = security?.runAsGroup;
  return {
    metadata: { ...identity, attempt },
    hostname: spec?.hostNetwork ? '' : kernelHostname(pod, surroundings.clusterDomain),
    log_directory: podLogDirectory(paths, identity),
    ...(dns ? { dns_config: dns } : {}),
    port_mappings: spec?.hostNetwork ? [] : portMappings(pod),
    labels: {
      ...metadata.labels,
      [runtimeLabels.podName]: identity.name,
      [runtimeLabels.podNamespace]: identity.namespace,
      [runtimeLabels.podUID]: identity.uid,
    },
    annotations: { ...metadata.annotations },
    linux: {
      cgroup_parent: cgroupParent,
      sysctls: Object.fromEntries((security?.sysctls ?? []).map(({ name, value }) => [name, value])),
      security_context: {
        namespace_options: { ...namespaceOptions(pod), ...userNamespaceOptions(surroundings.userRange) },
        ...(runAsUser === undefined ? {} : { run_as_user: { value: runAsUser } }),
        ...(runAsGroup === undefined || runAsUser === undefined ? {} : { run_as_group: { value: runAsGroup } }),
        supplemental_groups: podSupplementalGroups(pod),
        ...supplementalGroupsPolicy(pod),
        privileged: [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some((one) => one.securityContext?.privileged === true),
        seccomp: seccompProfile(security?.seccompProfile, paths, 'RuntimeDefault'),
      },
    },
  };
}

/** The host name of the Pod : at most 63 characters. */
export function podHostname(pod: DeepReadonly<Pod>): string {
  return pod.spec?.hostnameOverride || pod.spec?.hostname || truncateHostname(pod.metadata.name ?? '');
}

/** The Pod's full name in the cluster's DNS; Pods with a subdomain have one. */
export function podFQDN(pod: DeepReadonly<Pod>, clusterDomain: string): string | undefined {
  const { subdomain, hostnameOverride } = pod.spec ?? {};
  if (!subdomain || hostnameOverride) return undefined;
  return `${podHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** The kernel takes at most 64 characters. */
function kernelHostname(pod: DeepReadonly<Pod>, clusterDomain: string): string {
  const fqdn = pod.spec?.setHostnameAsFQDN ? podFQDN(pod, clusterDomain) : undefined;
  if (fqdn === undefined) return podHostname(pod);
  if (fqdn.length > 64)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested)`,
    );
  return fqdn;
}

function truncateHostname(name: string): string {
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

export function namespaceOptions({ spec }: DeepReadonly<Pod>): NamespaceOptions {
  return {
    network: spec?.hostNetwork ? 'NODE' : 'POD',
    pid: spec?.hostPID ? 'NODE' : spec?.shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: spec?.hostIPC ? 'NODE' : 'POD',
  };
}

export function podSupplementalGroups({ spec }: DeepReadonly<Pod>): number[] {
  const { fsGroup, supplementalGroups = [] } = spec?.securityContext ?? {};
  return [...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups];
}

export function supplementalGroupsPolicy({ spec }: DeepReadonly<Pod>): {
  readonly supplemental_groups_policy?: SupplementalGroupsPolicy;
} {
  const policy = spec?.securityContext?.supplementalGroupsPolicy;
  return policy === undefined ? {} : { supplemental_groups_policy: policy };
}

function portMappings({ spec }: DeepReadonly<Pod>): PortMapping[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({
        protocol,
        container_port: containerPort,
        host_port: hostPort,
        host_ip: hostIP,
      })),
  );
}

interface SeccompSource {
  readonly type: string;
  readonly localhostProfile?: string;
}

/** `fallback` is the profile where none is set: RuntimeDefault for a sandbox, that of --seccomp-default for a container. */
export function seccompProfile(
  source: SeccompSource | undefined,
  { seccompProfiles }: NodePaths,
  fallback: 'RuntimeDefault' | 'Unconfined',
): SecurityProfile {
  if (!source) return { profile_type: fallback };
  if (source.type === 'Localhost')
    return { profile_type: 'Localhost', localhost_ref: `${seccompProfiles}/${source.localhostProfile ?? ''}` };
  return { profile_type: source.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' };
}
