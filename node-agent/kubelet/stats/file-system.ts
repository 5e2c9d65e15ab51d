import type { HostFiles } from '../../linux/files/host-files.ts';

export interface FileSystemStats {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
  readonly inodesUsed: number;
}

type Capacity = Awaited<ReturnType<HostFiles['capacity']>>;

export function fileSystemOf({ capacityBytes, availableBytes, inodes, inodesFree }: Capacity): FileSystemStats {
  return {
    capacityBytes,
    availableBytes,
    usedBytes: Math.max(0, capacityBytes - availableBytes),
    inodes,
    inodesFree,
    inodesUsed: Math.max(0, inodes - inodesFree),
  };
}
