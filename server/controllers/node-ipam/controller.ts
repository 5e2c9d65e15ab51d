import { referenceTo } from '../../../api/client/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { type Controller, defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { divideClusterCIDR, findFreeRange } from './node-ranges.ts';
import { rules } from './rbac.ts';

export interface NodeIPAMOptions {
  /** All Pods of the cluster, e.g. 10.244.0.0/16. */
  readonly clusterCIDR: string;
  /** Prefix length of each node's part. */
  readonly nodeCIDRMaskSize: number;
}

const retrySeconds = 60;

/**
 * Gives every node a range of addresses for its Pods. A range that became free is given out again only after all others
 * had their turn: what still remembers the old node's Pods should not meet new ones.
 */
export function createNodeIPAMController({ clusterCIDR, nodeCIDRMaskSize }: NodeIPAMOptions): Controller {
  const ranges = divideClusterCIDR(clusterCIDR, nodeCIDRMaskSize);
  return defineController({
    name: 'node-ipam-controller',
    account: 'node-controller',
    component: 'cidrAllocator',
    for: nodes,
    // One at a time: two could choose the same range.
    workers: 1,
    rules,
    setUp({ lister, client, events }) {
      let next = 0;
      /** What was given but may not be in the cache yet. */
      const given = new Map<string, string>();
      return async ({ name }) => {
        const node = lister(nodes).find({ namespace: '', name });
        if (node === undefined || (node.spec?.podCIDRs ?? []).length > 0) {
          given.delete(name);
          return done;
        }
        const taken = new Set(given.values());
        for (const { spec } of lister(nodes).list()) for (const range of spec?.podCIDRs ?? []) taken.add(range);
        const index = given.has(name) ? undefined : findFreeRange(ranges, taken, next);
        const podCIDR = given.get(name) ?? (index === undefined ? undefined : ranges.at(index));
        if (podCIDR === undefined) {
          events.event(referenceTo(nodes, node), 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
          return requeueAfterSeconds(retrySeconds);
        }
        if (index !== undefined) next = (index + 1) % ranges.count;
        given.set(name, podCIDR);
        const body = { metadata: { uid: node.metadata.uid }, spec: { podCIDR, podCIDRs: [podCIDR] } };
        await ignoreNotFound(client(nodes).patch({ namespace: '', name }, { type: 'strategic', body }));
        return done;
      };
    },
  });
}
