import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { parseResolvConf, type ResolvConf } from '../../linux/machine/parse-resolv-conf.ts';

interface ClusterDNS {
  /** Addresses of the cluster's DNS; none: Pods get the node's. */
  readonly servers: readonly string[];
  readonly domain: string;
  /** Content of the node's resolv.conf. */
  readonly hostConfig: string;
}

const maxServers = 3;
const maxSearches = 32;

/**
 * The resolver configuration of a Pod. ClusterFirst means the node's own for Pods on the node's network
 * (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy).
 */
export function podDNS(pod: DeepReadonly<Pod>, cluster: ClusterDNS): ResolvConf {
  const { spec, metadata } = pod;
  const host = parseResolvConf(cluster.hostConfig);
  const policy = spec?.dnsPolicy ?? 'ClusterFirst';
  const usesCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !spec?.hostNetwork);
  let dns: ResolvConf = host;
  if (policy === 'None') dns = { servers: [], searches: [], options: [] };
  else if (usesCluster && cluster.servers.length > 0) {
    const { domain } = cluster;
    const own = [`${metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    dns = {
      servers: cluster.servers,
      searches: [...own, ...host.searches.filter((search) => !own.includes(search))],
      options: ['ndots:5'],
    };
  }
  const extra = spec?.dnsConfig;
  return {
    servers: unique([...dns.servers, ...(extra?.nameservers ?? []).filter(isWord)]).slice(0, maxServers),
    searches: unique([...dns.searches, ...(extra?.searches ?? []).filter(isWord)]).slice(0, maxSearches),
    options: mergeOptions(
      dns.options,
      (extra?.options ?? []).map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`)).filter(isWord),
    ),
  };
}

/** Whether a text can be a word of resolv.conf, where blanks and line ends divide. Other texts are left out. */
function isWord(text: string): boolean {
  return /^[^\s\0]+$/.test(text);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Of options with the same name the later one counts. */
function mergeOptions(base: readonly string[], added: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const option of [...base, ...added]) byName.set(option.split(':')[0] ?? option, option);
  return [...byName.values()];
}
