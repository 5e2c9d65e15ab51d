import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { Refusal } from './refusal.ts';

/** Sysctls that stay within the Pod's own namespaces (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/). */
const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** The kernel namespaces of sysctls, by the prefixes of their names. */
const namespaces: readonly (readonly [prefix: string, namespace: 'ipc' | 'net'])[] = [
  ['kernel.sem', 'ipc'],
  ['kernel.shm', 'ipc'],
  ['kernel.msg', 'ipc'],
  ['fs.mqueue.', 'ipc'],
  ['net.', 'net'],
];

/** Parses `--allowed-unsafe-sysctls`: names, or prefixes with a star. Throws for sysctls that affect the whole machine. */
export function parseUnsafeSysctls(text: string): string[] {
  const patterns = text.split(',').filter((pattern) => pattern !== '');
  for (const pattern of patterns) {
    if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*([./]?\*)?$/.test(pattern))
      throw new Error(`sysctl "${pattern}" must have at most 253 characters and match the rules of sysctl names`);
    if (namespaceOf(pattern) === undefined) throw new Error(`the sysctl "${pattern}" are not known to be namespaced`);
  }
  return patterns;
}

function namespaceOf(name: string): 'ipc' | 'net' | undefined {
  const dotted = name.replaceAll('/', '.');
  return namespaces.find(([prefix]) => dotted.startsWith(prefix))?.[1];
}

/** The reason why the node does not set the Pod's sysctls; undefined if it does. */
export function refuseSysctls({ spec }: DeepReadonly<Pod>, allowedUnsafe: readonly string[]): Refusal | undefined {
  for (const { name } of spec?.securityContext?.sysctls ?? []) {
    const problem = problemOf(name, allowedUnsafe, { ipc: spec?.hostIPC ?? false, net: spec?.hostNetwork ?? false });
    if (problem !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${problem}` };
  }
  return undefined;
}

function problemOf(name: string, allowedUnsafe: readonly string[], host: Readonly<Record<'ipc' | 'net', boolean>>): string | undefined {
  const dotted = name.replaceAll('/', '.');
  const matches = (pattern: string) => (pattern.endsWith('*') ? dotted.startsWith(pattern.slice(0, -1)) : dotted === pattern);
  if (!safeSysctls.has(dotted) && !allowedUnsafe.map((pattern) => pattern.replaceAll('/', '.')).some(matches))
    return `"${name}" not allowlisted`;
  const namespace = namespaceOf(name);
  return namespace && host[namespace] ? `"${name}" not allowed with host ${namespace} enabled` : undefined;
}
