/** Limits of a cgroup. Absent: not set. */
export interface CgroupLimits {
  /** 2 to 262144. */
  readonly cpuShares?: number;
  /** Microseconds of CPU time per 100 ms; 0: no limit. */
  readonly cpuQuota?: number;
  /** 0: no limit. */
  readonly memoryBytes?: number;
  /** 0: no limit. */
  readonly pids?: number;
  /** Bytes of huge pages by their size as cgroups spell it: 2MB, 1GB. */
  readonly hugePages?: Readonly<Record<string, number>>;
}

/** 0: none. */
export interface PresentLimits {
  /** Undefined in version 2, where several formulas convert shares to weights. */
  readonly cpuShares: number | undefined;
  /** Undefined in version 1. */
  readonly cpuWeight: number | undefined;
  /** Microseconds of CPU time per period, and the period. */
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly memoryBytes: number;
}

interface CgroupValue {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

export const cpuPeriodMicroseconds = 100_000;

/**
 * Parses cpu.cfs_quota_us , cpu.cfs_period_us, cpu.shares and memory.limit_in_bytes, where no limit is a number too large for
 * any machine.
 */
export function legacyLimits([quota = '', period = '', shares = '', memory = '']: readonly string[]): PresentLimits {
  const memoryBytes = Number(memory);
  return {
    cpuShares: Number(shares),
    cpuWeight: undefined,
    cpuQuota: Math.max(0, Number(quota)),
    cpuPeriod: Number(period),
    memoryBytes: memoryBytes >= 2 ** 62 ? 0 : memoryBytes,
  };
}

/** Parses cpu.max, memory.max and cpu.weight. */
export function unifiedLimits([cpu = '', memory = '', weight = '']: readonly string[]): PresentLimits {
  const orNone = (value: string) => (value === 'max' ? 0 : Number(value));
  const [quota = '', period = ''] = cpu.trim().split(' ');
  return {
    ...{ cpuShares: undefined, cpuWeight: Number(weight) },
    ...{ cpuQuota: orNone(quota), cpuPeriod: Number(period), memoryBytes: orNone(memory.trim()) },
  };
}

/** The files and values of version 1, in the order of writing. */
export function legacyValues({ cpuShares, cpuQuota, memoryBytes, pids, hugePages = {} }: CgroupLimits): CgroupValue[] {
  const values: CgroupValue[] = [];
  const add = (controller: string, file: string, value: number) => values.push({ controller, file, value: String(value) });
  if (cpuShares !== undefined) add('cpu', 'cpu.shares', cpuShares);
  if (cpuQuota !== undefined) {
    add('cpu', 'cpu.cfs_period_us', cpuPeriodMicroseconds);
    add('cpu', 'cpu.cfs_quota_us', cpuQuota > 0 ? cpuQuota : -1);
  }
  if (memoryBytes !== undefined) add('memory', 'memory.limit_in_bytes', memoryBytes > 0 ? memoryBytes : -1);
  if (pids !== undefined) values.push({ controller: 'pids', file: 'pids.max', value: pids > 0 ? String(pids) : 'max' });
  for (const [size, bytes] of Object.entries(hugePages)) add('hugetlb', `hugetlb.${size}.limit_in_bytes`, bytes);
  return values;
}

/** The same in version 2. */
export function unifiedValues({ cpuShares, cpuQuota, memoryBytes, pids, hugePages = {} }: CgroupLimits): CgroupValue[] {
  const values: CgroupValue[] = [];
  const orMax = (value: number) => (value > 0 ? String(value) : 'max');
  if (cpuShares !== undefined) values.push({ controller: 'cpu', file: 'cpu.weight', value: String(cpuWeight(cpuShares)) });
  if (cpuQuota !== undefined) values.push({ controller: 'cpu', file: 'cpu.max', value: `${orMax(cpuQuota)} ${cpuPeriodMicroseconds}` });
  if (memoryBytes !== undefined) values.push({ controller: 'memory', file: 'memory.max', value: orMax(memoryBytes) });
  if (pids !== undefined) values.push({ controller: 'pids', file: 'pids.max', value: orMax(pids) });
  for (const [size, bytes] of Object.entries(hugePages))
    values.push({ controller: 'hugetlb', file: `hugetlb.${size}.max`, value: String(bytes) });
  return values;
}

/** Whether a limit allows more than the present one, both in the form of the files: `max` and -1 mean no limit. */
export function isWider(value: string, present: string): boolean {
  const amount = (text: string) => {
    const [first = ''] = text.trim().split(' ');
    return first === 'max' || first === '-1' ? Number.POSITIVE_INFINITY : Number(first);
  };
  return amount(value) > amount(present);
}

/**
 * The weight of shares: 2..262144 onto 1..10000, in proportion, as kubelets convert them for their own cgroups. Newer runtimes
 * (runc 1.3.2, crun 1.23) have another formula for containers; what competes is always converted by the same program: the
 * classes and Pods by the kubelet, the containers of a Pod by the runtime.
 */
export function cpuWeight(shares: number): number {
  return Math.min(10_000, Math.floor(1 + ((Math.max(shares, 2) - 2) * 9999) / 262_142));
}

/** The shares that cpuWeight makes a weight of, as near as they can be told. */
export function sharesOfWeight(weight: number): number {
  return Math.floor(((weight - 1) * 262_142) / 9999) + 2;
}
