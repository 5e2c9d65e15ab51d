/** Whether the whole container ends when the kernel kills one of its processes for lack of memory. */
export interface OOMGroupRules {
  readonly cgroupVersion: 1 | 2;
  /** Only that process, as always on cgroups of version 1; absent: the container as a whole. */
  readonly singleProcessOOMKill?: boolean;
}

/** The files of a container's cgroup that say so, with their values. */
export function oomGroup({ cgroupVersion, singleProcessOOMKill = false }: OOMGroupRules): Readonly<Record<string, string>> {
  return cgroupVersion === 2 && !singleProcessOOMKill ? { 'memory.oom.group': '1' } : {};
}
