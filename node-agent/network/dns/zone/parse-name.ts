import { formatIP, type IPAddress, parseIP } from '../../../../api/base/ip-address.ts';

/** The meaning of a name below the cluster's domain (https://github.com/kubernetes/dns/blob/master/docs/specification.md). */
type ClusterName =
  | { readonly kind: 'apex' }
  /** `ns.dns`: the name server itself. */
  | { readonly kind: 'nameServer' }
  | { readonly kind: 'version' }
  /** `svc`, `pod`, `dns`: exist, and have no records. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'namespace'; readonly namespace: string; readonly of: 'svc' | 'pod' }
  | { readonly kind: 'service'; readonly namespace: string; readonly service: string }
  | { readonly kind: 'endpoint'; readonly namespace: string; readonly service: string; readonly endpoint: string }
  /** Without underscores, in lower case. */
  | {
      readonly kind: 'port';
      readonly namespace: string;
      readonly service: string;
      readonly port: string;
      readonly protocol: string;
    }
  | { readonly kind: 'pod'; readonly namespace: string; readonly address: string }
  | { readonly kind: 'unknown' };

/** `name` in lower case without the dot at the end; undefined if it is not in the domain. */
export function parseClusterName(name: string, domain: string): ClusterName | undefined {
  if (name === domain) return { kind: 'apex' };
  if (!name.endsWith(`.${domain}`)) return undefined;
  const labels = name
    .slice(0, -domain.length - 1)
    .split('.')
    .reverse();
  const [top, namespace, first, second, third] = labels;
  const unknown: ClusterName = { kind: 'unknown' };
  if (top === 'dns-version') return labels.length === 1 ? { kind: 'version' } : unknown;
  if (top === 'dns')
    return labels.length === 1 ? { kind: 'empty' } : labels.length === 2 && namespace === 'ns' ? { kind: 'nameServer' } : unknown;
  if (top !== 'svc' && top !== 'pod') return unknown;
  if (namespace === undefined) return { kind: 'empty' };
  if (first === undefined) return { kind: 'namespace', namespace, of: top };
  if (top === 'pod') {
    const address = labels.length === 3 ? parsePodAddress(first) : undefined;
    return address === undefined ? unknown : { kind: 'pod', namespace, address };
  }
  if (second === undefined) return { kind: 'service', namespace, service: first };
  if (third === undefined) return { kind: 'endpoint', namespace, service: first, endpoint: second };
  const isPort = labels.length === 5 && third.startsWith('_') && second.startsWith('_');
  return isPort ? { kind: 'port', namespace, service: first, protocol: second.slice(1), port: third.slice(1) } : unknown;
}

/** `10-244-0-7` or `fd00--7`. */
function parsePodAddress(label: string): string | undefined {
  const ip = /^\d+-\d+-\d+-\d+$/.test(label) ? parseIP(label.replaceAll('-', '.')) : parseIP(label.replaceAll('-', ':'));
  return ip === undefined ? undefined : formatIP(ip);
}

/** The address in a name of in-addr.arpa or ip6.arpa; undefined for other names, and for incomplete ones. */
export function parseReverseName(name: string): string | undefined {
  const ip = name.endsWith('.in-addr.arpa') ? reverseIPv4(name) : name.endsWith('.ip6.arpa') ? reverseIPv6(name) : undefined;
  return ip === undefined ? undefined : formatIP(ip);
}

function reverseIPv4(name: string): IPAddress | undefined {
  return parseIP(name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.'));
}

function reverseIPv6(name: string): IPAddress | undefined {
  const digits = name.slice(0, -'.ip6.arpa'.length).split('.').reverse();
  if (digits.length !== 32 || !digits.every((digit) => /^[\da-f]$/.test(digit))) return undefined;
  return parseIP((digits.join('').match(/.{4}/g) ?? []).join(':'));
}
