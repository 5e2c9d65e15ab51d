import { isContainerCgroup } from '../../linux/cgroups/cgroup-names.ts';
import type { Pressure, PressureReader } from '../../linux/machine/pressure.ts';
import type { NodeStats } from './node-stats.ts';

/** The pressure on a node and on everything that is measured on it. */
export interface Pressures {
  readonly node: Pressure | undefined;
  /** On all Pods together. */
  readonly allPods: Pressure | undefined;
  /** By uid. */
  readonly pods: ReadonlyMap<string, Pressure>;
  /** The pressure of each container, by its id. */
  readonly containers: ReadonlyMap<string, Pressure>;
}

export const noPressures: Pressures = { node: undefined, allPods: undefined, pods: new Map(), containers: new Map() };

interface PressuresInput {
  readonly stats: Pick<NodeStats, 'pods'>;
  readonly reader: PressureReader;
  readonly cgroupRoot: string;
  /** Cgroup of a Pod, by its uid. */
  readonly cgroupOf: (uid: string) => string | undefined;
}

export async function readPressures({ stats, reader, cgroupRoot, cgroupOf }: PressuresInput): Promise<Pressures> {
  const [node, allPods] = await Promise.all([reader.node(), reader.cgroup(cgroupRoot)]);
  if (!node && !allPods) return noPressures;
  const pods = new Map<string, Pressure>();
  const containers = new Map<string, Pressure>();
  await Promise.all(
    stats.pods.map(async (pod) => {
      const cgroup = cgroupOf(pod.uid);
      if (cgroup === undefined) return;
      const [own, children] = await Promise.all([reader.cgroup(cgroup), reader.children(cgroup)]);
      if (own) pods.set(pod.uid, own);
      for (const { id } of pod.containers) {
        const [, pressure] = [...children].find(([name]) => isContainerCgroup(name, id)) ?? [];
        if (pressure) containers.set(id, pressure);
      }
    }),
  );
  return { node, allPods, pods, containers };
}
