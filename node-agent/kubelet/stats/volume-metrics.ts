import type { FileSystemStats } from './file-system.ts';
import type { MetricFamily } from './metric-text.ts';

export interface ClaimUsage {
  readonly namespace: string;
  /** Name of the PersistentVolumeClaim. */
  readonly claim: string;
  readonly fileSystem: FileSystemStats;
}

const fields: readonly (readonly [name: string, what: string, field: keyof FileSystemStats])[] = [
  ['available_bytes', 'Number of available bytes in the volume', 'availableBytes'],
  ['capacity_bytes', 'Capacity in bytes of the volume', 'capacityBytes'],
  ['inodes', 'Maximum number of inodes in the volume', 'inodes'],
  ['inodes_free', 'Number of free inodes in the volume', 'inodesFree'],
  ['inodes_used', 'Number of used inodes in the volume', 'inodesUsed'],
  ['used_bytes', 'Number of used bytes in the volume', 'usedBytes'],
];

/** How full the volumes of claims are: each once, however many Pods of the node use it. */
export function volumeMetrics(claims: readonly ClaimUsage[]): MetricFamily[] {
  const unique = [...new Map(claims.map((one) => [`${one.namespace}/${one.claim}`, one])).values()];
  return fields.map(([name, help, field]) => ({
    name: `kubelet_volume_stats_${name}`,
    help: `[ALPHA] ${help}`,
    type: 'gauge',
    samples: unique.map(({ namespace, claim, fileSystem }) => ({
      labels: { namespace, persistentvolumeclaim: claim },
      value: fileSystem[field],
    })),
  }));
}
