import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { type Controller, defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { divideClusterCIDRs, findFreeRange } from './node-ranges.ts';
import { rules } from './rbac.ts';

export interface NodeIPAMOptions {
  /** The range of all Pods of the cluster, e.g. 10.244.0.0/16, or one of each family separated by a comma, the default family first. */
  readonly clusterCIDR: string;
  /** Prefix length of each node's part of an IPv4 range. */
  readonly nodeCIDRMaskSize: number;
  /** The mask size of an IPv6 range; absent: 64. */
  readonly nodeCIDRMaskSizeIPv6?: number;
}

const retrySeconds = 60;

/**
 * Gives every node a range of Pod addresses in each family of the cluster. A range that became free is used again only after all others:
 * connections to the old node's Pods should not reach new ones.
 */
export function createNodeIPAMController({ clusterCIDR, nodeCIDRMaskSize, nodeCIDRMaskSizeIPv6 = 64 }: NodeIPAMOptions): Controller {
  const families = divideClusterCIDRs(clusterCIDR, { IPv4: nodeCIDRMaskSize, IPv6: nodeCIDRMaskSizeIPv6 });
  return defineController({
    name: 'node-ipam-controller',
    account: 'node-controller',
    component: 'cidrAllocator',
    for: nodes,
    // One worker: two nodes handled at the same time could get the same range.
    workers: 1,
    rules,
    setUp({ lister, client, events }) {
      const next = families.map(() => 0);
      /** The ranges that were given but may not be in the cache yet. */
      const given = new Map<string, readonly string[]>();
      const choose = (): readonly string[] | undefined => {
        const taken = new Set([...given.values()].flat());
        for (const { spec } of lister(nodes).list()) for (const range of spec?.podCIDRs ?? []) taken.add(range);
        const indexes = families.map((ranges, family) => findFreeRange(ranges, taken, next[family] ?? 0));
        if (indexes.includes(undefined)) return undefined;
        return families.map((ranges, family) => {
          const index = indexes[family] ?? 0;
          next[family] = (index + 1) % ranges.count;
          return ranges.at(index);
        });
      };
      return async ({ name }) => {
        const node = lister(nodes).find({ namespace: '', name });
        if (node === undefined || (node.spec?.podCIDRs ?? []).length > 0) {
          given.delete(name);
          return done;
        }
        const podCIDRs = given.get(name) ?? choose();
        const [podCIDR] = podCIDRs ?? [];
        if (podCIDRs === undefined || podCIDR === undefined) {
          events.event(referenceTo(nodes, node), 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
          return requeueAfterSeconds(retrySeconds);
        }
        given.set(name, podCIDRs);
        const body = { metadata: { uid: node.metadata.uid }, spec: { podCIDR, podCIDRs: [...podCIDRs] } };
        await ignoreNotFound(client(nodes).patch({ namespace: '', name }, { type: 'strategic', body }));
        return done;
      };
    },
  });
}
