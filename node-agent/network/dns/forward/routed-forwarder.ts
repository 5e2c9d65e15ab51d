import type { Clock } from '../../../../api/base/clock.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { DNSSettings } from './dns-settings.ts';
import type { Upstream } from './exchange.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { createUpstreamGroup } from './upstream-group.ts';

interface RoutedForwarderDependencies {
  /** The servers that are asked where the settings name none. */
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  /** See UpstreamGroupDependencies. */
  readonly timeoutMs?: number;
}

export interface RoutedForwarder extends Forwarder {
  /** Applies the settings from the next query on. Cached answers of replaced servers are dropped. */
  use(settings: Pick<DNSSettings, 'stubDomains' | 'upstreams'>): void;
  /** Other servers where the settings name none. */
  useUpstreams(upstreams: readonly Upstream[]): void;
}

/** Asks for each name the servers of the longest domain that it lies in. */
export function createRoutedForwarder({ upstreams: first, ...dependencies }: RoutedForwarderDependencies): RoutedForwarder {
  const known = new Map<string, Forwarder>();
  const forwarderOf = (servers: readonly Upstream[]) => {
    const key = JSON.stringify(servers);
    const forwarder =
      known.get(key) ?? createForwarder({ ...dependencies, group: createUpstreamGroup({ ...dependencies, upstreams: servers }) });
    known.set(key, forwarder);
    return forwarder;
  };
  let upstreams = first;
  let current: Pick<DNSSettings, 'stubDomains' | 'upstreams'> = { stubDomains: new Map() };
  let others = forwarderOf(upstreams);
  let stubs: ReadonlyMap<string, Forwarder> = new Map();
  const find = (name: string): Forwarder => {
    if (stubs.size === 0) return others;
    for (let rest = name.toLowerCase(); rest !== ''; rest = rest.slice(`${rest}.`.indexOf('.') + 1)) {
      const stub = stubs.get(rest);
      if (stub !== undefined) return stub;
    }
    return others;
  };
  const apply = () => {
    others = forwarderOf(current.upstreams ?? upstreams);
    stubs = new Map([...current.stubDomains].map(([domain, servers]) => [domain, forwarderOf(servers)]));
    const used = new Set([others, ...stubs.values()]);
    for (const [key, forwarder] of known) if (!used.has(forwarder)) known.delete(key);
  };
  return {
    forward: (query) => find(query.questions[0]?.name ?? '').forward(query),
    use(settings) {
      current = settings;
      apply();
    },
    useUpstreams(changed) {
      upstreams = changed;
      apply();
    },
  };
}
