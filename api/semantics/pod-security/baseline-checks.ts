import { quote } from '../../base/quote.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  exceptUserNamespaces,
  nameContainers,
  namesWhere,
  nameSetters,
  plural,
  type PodFacts,
  quoteAll,
  sorted,
} from './check.ts';

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

const checkAppArmor: CheckPod = (pod) => {
  const isBad = (type: string | undefined) => type !== 'RuntimeDefault' && type !== 'Localhost';
  const own = pod.spec.securityContext?.appArmorProfile;
  const bySpec = own !== undefined && isBad(own.type);
  const byContainer = ({ securityContext }: { readonly securityContext?: { readonly appArmorProfile?: { readonly type?: string } } }) =>
    securityContext?.appArmorProfile !== undefined && isBad(securityContext.appArmorProfile.type);
  const bad = containersOf(pod).filter(byContainer);
  const values = sorted([...(bySpec ? [own.type] : []), ...bad.map(({ securityContext }) => securityContext?.appArmorProfile?.type ?? '')]);
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !/^(|runtime\/default|localhost\/.*)$/s.test(value))
    .map(([key, value]) => `${key}=${quote(value)}`)
    .sort();
  const setters = [
    nameSetters(
      bySpec,
      bad.map(({ name }) => name),
    ),
    annotations.length > 0 ? plural('annotation', annotations.length) : '',
  ]
    .filter((text) => text !== '')
    .join(' and ');
  if (setters === '') return undefined;
  const all = [...values, ...annotations];
  return {
    reason: plural('forbidden AppArmor profile', all.length),
    detail: `${setters} must not set AppArmor profile type to ${quoteAll(all)}`,
  };
};

const defaultCapabilities: ReadonlySet<string> = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);

const checkCapabilities: CheckPod = (pod) => {
  const extra = (added: readonly string[] = []) => added.filter((capability) => !defaultCapabilities.has(capability));
  const names = namesWhere(pod, ({ capabilities }) => extra(capabilities?.add).length > 0);
  if (names.length === 0) return undefined;
  const found = sorted(containersOf(pod).flatMap(({ securityContext }) => extra(securityContext?.capabilities?.add)));
  return {
    reason: 'non-default capabilities',
    detail: `${nameContainers(names)} must not include ${quoteAll(found)} in securityContext.capabilities.add`,
  };
};

const checkHostNamespaces: CheckPod = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
  return shared.length === 0 ? undefined : { reason: 'host namespaces', detail: shared.join(', ') };
};

const checkHostPaths: CheckPod = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoteAll(names)}` };
};

const checkHostPorts: CheckPod = (pod) => {
  const portsOf = ({ ports = [] }: ReturnType<typeof containersOf>[number]) =>
    ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const names = namesWhere(pod, (_, container) => portsOf(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sorted(containersOf(pod).flatMap(portsOf));
  const verb = names.length === 1 ? 'uses' : 'use';
  return { reason: 'hostPort', detail: `${nameContainers(names)} ${verb} ${plural('hostPort', ports.length)} ${ports.join(', ')}` };
};

const checkHostsOfProbes: CheckPod = (pod) => {
  const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: ReturnType<typeof containersOf>[number]) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
    ) as string[];
  const names = sorted(namesWhere(pod, (_, container) => hostsOf(container).length > 0));
  if (names.length === 0) return undefined;
  const hosts = sorted(containersOf(pod).flatMap(hostsOf));
  const verb = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'probe or lifecycle host',
    detail: `${nameContainers(names)} ${verb} ${plural('probe or lifecycle host', hosts.length)} ${quoteAll(hosts)}`,
  };
};

const checkPrivileged: CheckPod = (pod) => {
  const names = namesWhere(pod, ({ privileged }) => privileged === true);
  return names.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${nameContainers(names)} must not set securityContext.privileged=true` };
};

/** The check of /proc mounts. The restricted standard uses it too, without the exception for Pods with user namespaces. */
export const checkProcMount: CheckPod = (pod) => {
  const isBad = (procMount: string | undefined) => procMount !== undefined && procMount !== 'Default';
  const names = namesWhere(pod, ({ procMount }) => isBad(procMount));
  if (names.length === 0) return undefined;
  const found = sorted(
    containersOf(pod).flatMap(({ securityContext }) => (isBad(securityContext?.procMount) ? [securityContext?.procMount ?? ''] : [])),
  );
  return { reason: 'procMount', detail: `${nameContainers(names)} must not set securityContext.procMount to ${quoteAll(found)}` };
};

interface SELinuxOptions {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

/** @param types that may be set */
function checkSELinux(types: readonly string[]): CheckPod {
  const isBadType = ({ type = '' }: SELinuxOptions) => type !== '' && !types.includes(type);
  const isBad = (options: SELinuxOptions | undefined) => options !== undefined && (isBadType(options) || !!options.user || !!options.role);
  return (pod) => {
    const own = pod.spec.securityContext?.seLinuxOptions;
    const setters = nameSetters(
      isBad(own),
      namesWhere(pod, ({ seLinuxOptions }) => isBad(seLinuxOptions)),
    );
    if (setters === '') return undefined;
    const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seLinuxOptions)].filter(
      (options) => options !== undefined,
    );
    const badTypes = sorted(all.filter(isBadType).map(({ type = '' }) => type));
    const found = [
      ...(badTypes.length > 0 ? [`${plural('type', badTypes.length)} ${quoteAll(badTypes)}`] : []),
      ...(all.some(({ user }) => user) ? ['user may not be set'] : []),
      ...(all.some(({ role }) => role) ? ['role may not be set'] : []),
    ];
    return { reason: 'seLinuxOptions', detail: `${setters} set forbidden securityContext.seLinuxOptions: ${found.join('; ')}` };
  };
}

const podSeccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const containerSeccompAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';

const checkSeccompAnnotations: CheckPod = (pod) => {
  const keys = [podSeccompAnnotation, ...containersOf(pod).map(({ name }) => containerSeccompAnnotation + name)];
  const bad = keys.flatMap((key) => {
    const value = pod.annotations[key];
    return value === undefined || /^(runtime\/default$|docker\/default$|localhost\/)/.test(value) ? [] : [`${key}=${quote(value)}`];
  });
  const found = sorted(bad);
  return found.length === 0
    ? undefined
    : { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', found.length)} ${found.join(', ')}` };
};

/** Whether a seccomp profile confines the container. */
export function isConfining(profile: { readonly type?: string } | undefined): boolean {
  return profile?.type === 'RuntimeDefault' || profile?.type === 'Localhost';
}

/** The seccomp profiles that are set and do not confine. Absent ones are no violation. */
export const checkSeccompProfiles: CheckPod = (pod: PodFacts) => {
  const own = pod.spec.securityContext?.seccompProfile;
  const isBad = (profile: { readonly type?: string } | undefined) => profile !== undefined && !isConfining(profile);
  const setters = nameSetters(
    isBad(own),
    namesWhere(pod, ({ seccompProfile }) => isBad(seccompProfile)),
  );
  if (setters === '') return undefined;
  const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seccompProfile)];
  const found = sorted(all.filter(isBad).map((profile) => profile?.type ?? ''));
  return { reason: 'seccompProfile', detail: `${setters} must not set securityContext.seccompProfile.type to ${quoteAll(found)}` };
};

const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const safeSysctlsSince27 = [...safeSysctls, 'net.ipv4.ip_local_reserved_ports'];
const safeSysctlsSince29 = [
  ...safeSysctlsSince27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const safeSysctlsSince32 = [...safeSysctlsSince29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

function checkSysctls(allowed: readonly string[]): CheckPod {
  return ({ spec }) => {
    const found = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
    return found.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: found.join(', ') };
  };
}

const checkWindowsHostProcess: CheckPod = (pod) => {
  const bySpec = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
  const setters = nameSetters(
    bySpec,
    namesWhere(pod, ({ windowsOptions }) => windowsOptions?.hostProcess === true),
  );
  return setters === ''
    ? undefined
    : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` };
};

const seLinuxTypes = ['container_t', 'container_init_t', 'container_kvm_t'];

/** The baseline standard, which forbids the known ways out of a container. */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', versions: [[0, checkAppArmor]] },
  { id: 'capabilities_baseline', versions: [[0, checkCapabilities]] },
  { id: 'hostNamespaces', versions: [[0, checkHostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, checkHostPaths]] },
  { id: 'hostPorts', versions: [[0, checkHostPorts]] },
  { id: 'hostProbesAndHostLifecycle', versions: [[34, checkHostsOfProbes]] },
  { id: 'privileged', versions: [[0, checkPrivileged]] },
  // A Pod with a user namespace may see all of /proc (KEP-4265).
  {
    id: 'procMount',
    versions: [
      [0, checkProcMount],
      [35, exceptUserNamespaces(checkProcMount)],
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, checkSELinux(seLinuxTypes)],
      [31, checkSELinux([...seLinuxTypes, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      [0, checkSeccompAnnotations],
      [19, checkSeccompProfiles],
    ],
  },
  {
    id: 'sysctls',
    versions: [
      [0, checkSysctls(safeSysctls)],
      [27, checkSysctls(safeSysctlsSince27)],
      [29, checkSysctls(safeSysctlsSince29)],
      [32, checkSysctls(safeSysctlsSince32)],
    ],
  },
  { id: 'windowsHostProcess', versions: [[0, checkWindowsHostProcess]] },
];
