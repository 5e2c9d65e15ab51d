import { parseIP } from '../../../../api/base/ip-address.ts';
import type { Upstream } from './exchange.ts';

/** The servers that are asked for names outside the cluster. */
export interface DNSSettings {
  /** By domain, in lower case without the dot at the end: names below it, and itself, are asked of these servers. */
  readonly stubDomains: ReadonlyMap<string, readonly Upstream[]>;
  /** The servers for all other names. Absent: those that the node itself asks. */
  readonly upstreams?: readonly Upstream[];
  /** Parts that could not be read and are passed over, in words. */
  readonly problems: readonly string[];
}

const dnsPort = 53;

/**
 * Reads the ConfigMap kube-system/kube-dns in the format of kube-dns: `stubDomains`, a JSON object of lists of servers by
 * domain, and `upstreamNameservers`, a JSON list of servers. A server is an address, with `:port` where it is not 53.
 */
export function parseDNSSettings(data: Readonly<Record<string, string>> = {}): DNSSettings {
  const problems: string[] = [];
  const stubDomains = new Map<string, readonly Upstream[]>();
  const stubs = parseJSON(data['stubDomains'], 'stubDomains', problems);
  if (isObject(stubs)) {
    for (const [domain, servers] of Object.entries(stubs)) {
      const name = domain.toLowerCase().replace(/\.$/, '');
      const upstreams = parseServers(servers, `stubDomains: ${domain}`, problems);
      if (name !== '' && upstreams.length > 0) stubDomains.set(name, upstreams);
    }
  } else if (stubs !== undefined) problems.push('stubDomains is no JSON object');
  const servers = parseJSON(data['upstreamNameservers'], 'upstreamNameservers', problems);
  const upstreams = servers === undefined ? [] : parseServers(servers, 'upstreamNameservers', problems);
  return { stubDomains, problems, ...(upstreams.length > 0 ? { upstreams } : {}) };
}

function parseJSON(text: string | undefined, what: string, problems: string[]): unknown {
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    problems.push(`${what} is no JSON`);
    return undefined;
  }
}

function parseServers(value: unknown, what: string, problems: string[]): Upstream[] {
  if (!Array.isArray(value)) {
    problems.push(`${what} is no list of servers`);
    return [];
  }
  return value.flatMap((text: unknown) => {
    const upstream = typeof text === 'string' ? parseServer(text) : undefined;
    if (upstream === undefined) problems.push(`${what}: ${String(text)} is no address`);
    return upstream ?? [];
  });
}

/** `10.0.0.1`, `10.0.0.1:5353`, `fd00::1` or `[fd00::1]:5353`. */
function parseServer(text: string): Upstream | undefined {
  if (parseIP(text) !== undefined) return { address: text, port: dnsPort };
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  return parseIP(address) !== undefined && port > 0 && port < 65_536 ? { address, port } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
