import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { matchesNodeSelector } from '../../../api/semantics/nodes/node-selectors.ts';
import type { Node, NodeSelector } from '../../../api/types/core-v1.ts';
import type { Device, ResourceSlice } from '../../../api/types/resource-v1.ts';

type Slice = DeepReadonly<ResourceSlice>;

/** A device that a node can reach. */
export interface PoolDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: DeepReadonly<Device>;
  /** The nodes from which the pool can be reached. */
  readonly place: Place;
}

/** The nodes that can reach a device. At most one field is set; none: all nodes. */
interface Place {
  readonly nodeName?: string | undefined;
  readonly nodeSelector?: DeepReadonly<NodeSelector> | undefined;
}

export interface DevicePool {
  readonly driver: string;
  readonly pool: string;
  /** Whether not all its slices are known: only some of its devices are. */
  readonly isIncomplete: boolean;
  /** In words: why nothing may be taken of it. */
  readonly problem?: string;
  readonly devices: readonly PoolDevice[];
}

/** Slices by where they may matter, so that a node looks only at those. */
export interface SliceIndex {
  poolsOf(node: DeepReadonly<Node>): readonly DevicePool[];
}

export function indexSlices(slices: readonly Slice[]): SliceIndex {
  const pools = new Map<string, PoolSlices>();
  for (const slice of slices) addSlice(pools, slice);
  const ofNode = new Map<string, PoolSlices[]>();
  const shared: PoolSlices[] = [];
  // In order of drivers, pools and slices, so that the same cluster yields the same choice.
  for (const pool of [...pools.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    pool.slices.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
    const nodes = new Set(pool.slices.map(({ spec }) => spec.nodeName));
    const [nodeName] = nodes;
    if (nodes.size === 1 && nodeName !== undefined) ofNode.set(nodeName, [...(ofNode.get(nodeName) ?? []), pool]);
    else shared.push(pool);
  }
  /** A node that has changed is another object. */
  const known = new WeakMap<object, readonly DevicePool[]>();
  return {
    poolsOf(node) {
      let pools = known.get(node);
      if (pools === undefined) {
        pools = [...(ofNode.get(node.metadata.name ?? '') ?? []), ...shared].flatMap((pool) => reachablePart(pool, node) ?? []);
        known.set(node, pools);
      }
      return pools;
    },
  };
}

/** All slices of the highest generation of a pool. */
interface PoolSlices {
  readonly key: string;
  generation: number;
  slices: Slice[];
}

function addSlice(pools: Map<string, PoolSlices>, slice: Slice): void {
  const { driver, pool } = slice.spec;
  const key = `${driver}/${pool.name}`;
  const known = pools.get(key);
  if (known === undefined) pools.set(key, { key, generation: pool.generation, slices: [slice] });
  else if (pool.generation === known.generation) known.slices.push(slice);
  else if (pool.generation > known.generation) {
    known.generation = pool.generation;
    known.slices = [slice];
  }
}

function reachablePart({ slices }: PoolSlices, node: DeepReadonly<Node>): DevicePool | undefined {
  const [first] = slices;
  const reachable = slices.filter((slice) => mayBeReached(slice, node));
  if (first === undefined || reachable.length === 0) return undefined;
  const { driver, pool } = first.spec;
  const duplicate = findDuplicate(slices);
  return {
    driver,
    pool: pool.name,
    isIncomplete: slices.length !== pool.resourceSliceCount,
    ...(duplicate === undefined ? {} : { problem: `duplicate device name ${duplicate}` }),
    devices: reachable.flatMap(({ spec }) =>
      (spec.devices ?? []).flatMap((device) => {
        const place = spec.perDeviceNodeSelection === true ? device : spec;
        if (!isAt(place, node)) return [];
        return [{ driver, pool: pool.name, device, place: { nodeName: place.nodeName, nodeSelector: place.nodeSelector } }];
      }),
    ),
  };
}

function findDuplicate(slices: readonly Slice[]): string | undefined {
  const names = new Set<string>();
  for (const { spec } of slices) {
    for (const { name } of spec.devices ?? []) {
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}

/** Devices may say it each for themselves. */
function mayBeReached({ spec }: Slice, node: DeepReadonly<Node>): boolean {
  return spec.perDeviceNodeSelection === true || isAt(spec, node);
}

function isAt(place: Place & { readonly allNodes?: boolean }, node: DeepReadonly<Node>): boolean {
  if (place.nodeName !== undefined) return place.nodeName === node.metadata.name;
  if (place.nodeSelector !== undefined) return matchesNodeSelector(place.nodeSelector, node);
  return place.allNodes === true;
}
