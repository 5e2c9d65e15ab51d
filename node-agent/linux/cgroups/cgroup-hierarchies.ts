export interface CgroupMount {
  readonly point: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: readonly string[];
}

/** The cgroup hierarchies of the machine, and which of them Pods live in. */
export interface CgroupHierarchies {
  readonly version: 1 | 2;
  /** The mount points in which cgroups are made: those of all hierarchies in version 1, the only one in version 2. */
  readonly roots: readonly string[];
  /** Mount point of the hierarchy with a controller; undefined if there is none in version 1. */
  rootOf(controller: string): string | undefined;
  /** Every mount of a hierarchy, also of those that Pods do not live in. */
  readonly mounts: readonly CgroupMount[];
}

const unifiedPoint = '/sys/fs/cgroup';

/** Parses the cgroup mounts of /proc/self/mountinfo. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line): CgroupMount[] => {
    const [before, after] = line.split(' - ');
    const type = after?.split(' ')[0];
    const point = before?.split(' ')[4];
    const options = after?.split(' ')[2]?.split(',') ?? [];
    return point !== undefined && (type === 'cgroup' || type === 'cgroup2') ? [{ point, type, options }] : [];
  });
}

/**
 * Version 2 is used if it is mounted at /sys/fs/cgroup itself, as kubelets and runtimes decide it: other programs mount hierarchies of
 * version 1 beside it (net_cls, for example), and on machines with both, version 2 without controllers is mounted below.
 */
export function cgroupHierarchies(mounts: readonly CgroupMount[]): CgroupHierarchies {
  const legacy = mounts.filter(({ type }) => type === 'cgroup');
  const unified = mounts.filter(({ type }) => type === 'cgroup2').map(({ point }) => point);
  const isUnified = unified.includes(unifiedPoint) || legacy.length === 0;
  if (isUnified) {
    const root = unified.includes(unifiedPoint) ? unifiedPoint : (unified[0] ?? unifiedPoint);
    return { version: 2, mounts, roots: [root], rootOf: () => root };
  }
  return {
    version: 1,
    mounts,
    roots: mounts.map(({ point }) => point),
    rootOf: (controller) => legacy.find(({ options }) => options.includes(controller))?.point,
  };
}
