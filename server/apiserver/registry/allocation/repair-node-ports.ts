import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Client } from '../../../../api/client/client.ts';
import { type EventRecorder, referenceTo } from '../../../../api/client/events/event-recorder.ts';
import { listAll } from '../../../../api/client/list-pages.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { NodePortRegistry } from './node-port-registry.ts';
import { occupiedPorts } from './node-ports.ts';
import type { PortSet } from './port-set.ts';
import type { Finding } from './plan-repair.ts';

interface NodePortRepairDependencies {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly nodePorts: NodePortRegistry;
}

/** The number of rounds in which a port must have been found without Service: a Service that is being created gets its port first. */
const rounds = 3;

/**
 * Repairs the allocation of node ports: ports that a server allocated without writing the Service are released, and ports of Services that
 * are not registered (after a restored backup, or from another server) are registered. To be called every few minutes.
 */
export function createNodePortRepair({ client, events, nodePorts }: NodePortRepairDependencies): () => Promise<void> {
  const leaks = new Map<number, number>();
  return async () => {
    const { items } = await listAll(client(services));
    const findings = await nodePorts.update((taken) => repairPorts(items, taken, leaks), false);
    for (const { service, reason, message } of findings) events.event(referenceTo(services, service), 'Warning', reason, message);
  };
}

interface PortFinding extends Finding {
  readonly service: DeepReadonly<Service>;
}

/** Modifies `taken` and `leaks`, in which ports without a Service are counted. */
export function repairPorts(present: readonly DeepReadonly<Service>[], taken: PortSet, leaks: Map<number, number>): PortFinding[] {
  const used = new Set<number>();
  const findings: PortFinding[] = [];
  for (const service of present) {
    for (const port of occupiedPorts(service)) {
      const finding = findingAbout(port, taken, used);
      if (finding) findings.push({ service, ...finding });
      used.add(port);
      if (taken.includes(port)) taken.add(port);
    }
  }
  for (const port of leaks.keys()) if (used.has(port) || !taken.has(port)) leaks.delete(port);
  for (const port of taken.all()) {
    if (used.has(port)) continue;
    const count = (leaks.get(port) ?? 0) + 1;
    leaks.set(port, count);
    if (count >= rounds) taken.delete(port);
  }
  return findings;
}

function findingAbout(port: number, taken: PortSet, used: ReadonlySet<number>): Finding | undefined {
  const { first, last } = taken.range;
  if (!taken.includes(port)) {
    return { reason: 'PortOutOfRange', message: `Port ${port} is not within the port range ${first}-${last}; please recreate service` };
  }
  if (used.has(port))
    return { reason: 'PortAlreadyAllocated', message: `Port ${port} was assigned to multiple services; please recreate service` };
  return taken.has(port) ? undefined : { reason: 'PortNotAllocated', message: `Port ${port} is not allocated; repairing` };
}
