import { formatKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { clusterDNSService } from '../../../api/semantics/services/cluster-dns.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { type Controller, defineController, done, requeueAfterSeconds, watching } from '../runtime/define-controller.ts';
import { applySlices } from '../runtime/endpoint-slices/apply-slices.ts';
import { followSlices } from '../runtime/endpoint-slices/follow-slices.ts';
import { planSlices } from '../runtime/endpoint-slices/slice-plan.ts';
import { WriteTracker } from '../runtime/write-tracker.ts';
import { dnsEndpoints, dnsService, isServedByNodes, managedBy, movesDNS, sliceOwnerOf } from './dns-endpoints.ts';
import { rules } from './rbac.ts';

/**
 * Directs Pods to the DNS server of their node, or to that of another node: keeps the Service kube-system/kube-dns, from the first node on,
 * and its EndpointSlices with the address of every node that has a DNS server. Nodes may not write these themselves, or one could speak for
 * another. A Service of that name with a selector is left to its owner.
 */
export function createClusterDNSController(clusterIP: string): Controller {
  return defineController({
    name: 'cluster-dns-controller',
    account: 'cluster-dns-controller',
    for: services,
    watches: [watching(nodes, () => [clusterDNSService], movesDNS)],
    workers: 1,
    rules,
    setUp(setup) {
      const slicesOf = followSlices(setup, managedBy);
      const tracker = new WriteTracker<EndpointSlice>(setup.clock, setup.lister(endpointSlices));
      const ownID = formatKey(clusterDNSService);
      return async (key) => {
        if (formatKey(key) !== ownID) return done;
        const members = setup.lister(nodes).list();
        const service = setup.lister(services).find(key);
        if (service === undefined) {
          if (members.length > 0) await createService();
          return done;
        }
        if (!tracker.isCurrent(ownID)) return requeueAfterSeconds(30);
        const existing = slicesOf(key);
        if (!isServedByNodes(service)) {
          await applySlices(setup, tracker, ownID, { create: [], update: [], delete: existing });
          return done;
        }
        for (const family of service.spec?.ipFamilies ?? []) {
          if (family !== 'IPv4' && family !== 'IPv6') continue;
          const own = existing.filter(({ addressType }) => addressType === family);
          await applySlices(setup, tracker, ownID, planSlices(sliceOwnerOf(service), family, dnsEndpoints(service, members, family), own));
        }
        return done;
      };

      async function createService(): Promise<void> {
        try {
          await setup.client(services).create(dnsService(clusterIP));
        } catch (error) {
          if (!hasReason(error, 'AlreadyExists')) throw error;
        }
      }
    },
  });
}
