import type { GuestCluster } from '../guest/guest-cluster.ts';

/** A container of a running Pod, with facts that show whether it is still the same one. */
export interface RunningContainer {
  /** `namespace/pod/container` */
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly status?: {
      readonly phase?: string;
      readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string; readonly restartCount: number }[];
    };
  }[];
}

/** The containers of all running Pods. */
export async function containersOf(cluster: GuestCluster): Promise<RunningContainer[]> {
  const list = JSON.parse(await cluster.run('get', 'pods', '-A', '-o', 'json')) as PodList;
  return list.items
    .filter(({ status }) => status?.phase === 'Running')
    .flatMap(({ metadata, status }) =>
      (status?.containerStatuses ?? []).map(({ name, containerID = '', restartCount }) => ({
        name: `${metadata.namespace}/${metadata.name}/${name}`,
        containerID,
        restartCount,
      })),
    );
}

/** Changes of containers that were there before; empty where all are the same. */
export function describeChanges(before: readonly RunningContainer[], after: readonly RunningContainer[]): string {
  const now = new Map(after.map((container) => [container.name, container]));
  return before
    .flatMap((old) => {
      const found = now.get(old.name);
      if (found === undefined) return [`${old.name} is gone`];
      if (found.restartCount !== old.restartCount) return [`${old.name} restarted ${found.restartCount - old.restartCount} times`];
      return found.containerID === old.containerID ? [] : [`${old.name} is another container`];
    })
    .join(', ');
}
