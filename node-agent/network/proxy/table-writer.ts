import type { Logger } from '../../../api/base/logger.ts';
import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { type NFT, nftFamilies } from '../../linux/nft/nft.ts';
import { affinityMap, renderBaseTable, renderTableRemoval, tableName, tableOf } from './nftables/base-table.ts';
import { elementKey, type Entries } from './nftables/entry.ts';
import { parseClients, parseTable } from './nftables/read-back.ts';
import { type RememberedClient, renderForgetting } from './nftables/remembered-clients.ts';
import { RuleState } from './nftables/rule-state.ts';
import { frontsOf, hasRememberedClients, renderServiceEntries } from './nftables/service-entries.ts';
import { renderTransaction } from './nftables/transaction.ts';
import { endpointKey } from './tracking/endpoint.ts';
import type { ServicePortRules } from './tracking/service-port-rules.ts';

interface TableWriterDependencies {
  readonly nft: NFT;
  readonly family: IPFamily;
  /** The cluster's ranges of the family. */
  readonly clusterCIDRs: readonly string[];
  readonly logger: Logger;
}

export interface TableSync {
  /** Full: the table was read back first, at the start and after failures. */
  readonly kind: 'full' | 'partial';
  readonly changes: number;
  /** Present: the write failed, and nothing was changed; the next sync reads the table back. */
  readonly error?: unknown;
}

/** Writes the rules for Services into the kernel's table. */
interface TableWriter {
  /** Sets the ports of a Service; no ports: none. */
  claim(service: string, ports: readonly ServicePortRules[]): void;
  /** Addresses of the node that take traffic to node ports. */
  claimNode(owner: string, nodePortIPs: readonly string[]): void;
  /** Makes the next sync read the table back from the kernel. */
  distrust(): void;
  sync(): Promise<TableSync>;
}

/**
 * Knows the table's content and writes differences. At first, and after every failure, it reads the table and continues from its content:
 * rules of unchanged Services are not touched, so their traffic never stops.
 */
export function createTableWriter({ nft, family, clusterCIDRs, logger }: TableWriterDependencies): TableWriter {
  const table = tableOf(family);
  const state = new RuleState();
  const routes = new AffineRoutes();
  let isTrusted = false;

  const listStrays = async () => strays(parseClients(await nft.listMap(nftFamilies[family].ip, tableName, affinityMap)), state);
  /** Writes all changes in one transaction and returns their number. */
  const write = async (lost: readonly RememberedClient[], before = ''): Promise<number> => {
    const changes = state.changes();
    const text = before + renderTransaction(changes, table) + renderForgetting(lost, table);
    if (text !== '') await nft.apply(text);
    state.done(changes);
    return changes.length;
  };
  /** Clients of a removed endpoint are forgotten with it, and then those that were added during the search. */
  const writeChanges = async (): Promise<number> => {
    if (!routes.mayLoseClients()) return write([]);
    const written = await write(await listStrays());
    const late = await listStrays();
    if (late.length > 0) await nft.apply(renderForgetting(late, table));
    routes.forgotten();
    return written;
  };
  const adopt = async (): Promise<number> => {
    const json = await nft.listTable(nftFamilies[family].ip, tableName);
    const found = json === undefined ? ({ state: 'absent' } as const) : parseTable(json);
    const base = renderBaseTable(clusterCIDRs, family);
    if (found.state !== 'foreign') {
      state.observe(found.state === 'ours' ? found.entries : new Map());
      try {
        const written = await write(found.state === 'ours' ? strays(found.clients, state) : [], base);
        routes.forgotten();
        return written;
      } catch (error) {
        if (found.state === 'absent') throw error;
        logger.warn('the table of Services is not as this version makes it, and is replaced', { error });
      }
    }
    state.observe(new Map());
    return write([], renderTableRemoval(family) + base);
  };

  return {
    claim(service, ports) {
      state.claim(service, renderServiceEntries(ports, clusterCIDRs, family));
      routes.claim(service, ports);
    },
    claimNode(owner, nodePortIPs) {
      const entries: Entries = new Map(nodePortIPs.map((ip) => [elementKey('nodeport-ips', ip), '']));
      state.claim(owner, entries);
    },
    distrust() {
      isTrusted = false;
    },
    async sync() {
      const kind = isTrusted ? 'partial' : 'full';
      try {
        const changes = isTrusted ? await writeChanges() : await adopt();
        isTrusted = true;
        return { kind, changes };
      } catch (error) {
        isTrusted = false;
        return { kind, changes: 0, error };
      }
    },
  };
}

/** The endpoints that remembered clients may have been sent to, by Service, to notice when one of them is removed. */
class AffineRoutes {
  readonly #routes = new Map<string, ReadonlySet<string>>();
  #mayLoseClients = false;

  claim(service: string, ports: readonly ServicePortRules[]): void {
    const before = this.#routes.get(service);
    const now = new Set(ports.filter(hasRememberedClients).flatMap(routesOf));
    if (now.size > 0) this.#routes.set(service, now);
    else this.#routes.delete(service);
    this.#mayLoseClients ||= before !== undefined && !before.isSubsetOf(now);
  }

  mayLoseClients(): boolean {
    return this.#mayLoseClients;
  }

  forgotten(): void {
    this.#mayLoseClients = false;
  }
}

function routesOf(port: ServicePortRules): string[] {
  const endpoints = new Set([...port.clusterEndpoints, ...port.localEndpoints].map(endpointKey));
  return frontsOf(port).flatMap((front) => [...endpoints].map((endpoint) => `${front} > ${endpoint}`));
}

/** The clients whose endpoint no longer belongs to the Service that they use. */
function strays(clients: readonly RememberedClient[], state: RuleState): RememberedClient[] {
  const known = new Map<string, ReadonlySet<string>>();
  const endpointsOf = (container: string, front: string) => {
    let found = known.get(front);
    if (found === undefined) {
      const listed: string[] = [];
      for (let value; (value = state.desired(elementKey(container, `${front} . ${listed.length}`))) !== undefined; ) listed.push(value);
      known.set(front, (found = new Set(listed)));
    }
    return found;
  };
  return clients.filter(
    ({ front, nodePort, endpoint }) =>
      !endpointsOf('service-endpoints', front).has(`: ${endpoint}`) && !endpointsOf('nodeport-endpoints', nodePort).has(`: ${endpoint}`),
  );
}
