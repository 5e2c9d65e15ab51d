import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { HostAlias, Pod } from '../../../api/types/core-v1.ts';
import { podFQDN, podHostname } from './sandbox-config.ts';

/** Content of a Pod's /etc/hosts. Pods on the node's network get the node's file, with the Pod's aliases added. */
export function hostsFile(pod: DeepReadonly<Pod>, podIPs: readonly string[], nodeHosts: string, clusterDomain: string): string {
  const aliases = aliasLines(pod.spec?.hostAliases ?? []);
  if (pod.spec?.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliases}`;
  const hostname = podHostname(pod);
  const fqdn = podFQDN(pod, clusterDomain);
  const own = podIPs.map((ip) => `${ip}\t${fqdn ? `${fqdn}\t` : ''}${hostname}\n`).join('');
  return `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${own}${aliases}`;
}

function aliasLines(aliases: readonly DeepReadonly<HostAlias>[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${[ip, ...hostnames].join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
