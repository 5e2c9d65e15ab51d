import { quantityMilliValue, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/base/quantity/quantity.ts';
import type { CgroupLimits } from '../../linux/cgroups/cgroup-values.ts';
import { hugePageFileSize, type HugePages } from '../../linux/machine/huge-pages.ts';
import { cpuShares } from './pod-resources.ts';

const reservable = ['cpu', 'memory', 'ephemeral-storage', 'pid'] as const;

type ReservableResource = (typeof reservable)[number];

/** Amounts of a node's resources: cpu in thousandths, memory and ephemeral-storage in bytes, pid in processes and threads. */
export type NodeAmounts = Readonly<Partial<Record<ReservableResource, number>>>;

export const enforcements = [
  'none',
  'pods',
  'system-reserved',
  'kube-reserved',
  'system-reserved-compressible',
  'kube-reserved-compressible',
] as const;

type Enforcement = (typeof enforcements)[number];

/** Reservations that are kept from Pods, and which cgroups are held to their part (KEP-2371, node allocatable). */
export interface AllocatableSettings {
  readonly enforce: readonly Enforcement[];
  readonly systemReserved: NodeAmounts;
  readonly kubeReserved: NodeAmounts;
  /** Names of cgroups that exist, absolute below the hierarchy's root; '' for none. */
  readonly systemReservedCgroup: string;
  readonly kubeReservedCgroup: string;
}

export interface AllocatableFlags {
  readonly enforceNodeAllocatable: string;
  readonly systemReserved: string;
  readonly kubeReserved: string;
  readonly systemReservedCgroup: string;
  readonly kubeReservedCgroup: string;
  readonly reservedCpus: string;
}

export const defaultAllocatableFlags: AllocatableFlags = {
  enforceNodeAllocatable: 'pods',
  systemReserved: '',
  kubeReserved: '',
  systemReservedCgroup: '',
  kubeReservedCgroup: '',
  reservedCpus: '',
};

/** Throws in the kubelet's words. `cpus`: how many the machine has. */
export function parseAllocatableFlags(flags: AllocatableFlags, cpus: number): AllocatableSettings {
  const { systemReservedCgroup, kubeReservedCgroup, reservedCpus } = flags;
  const enforce = parseEnforcements(flags.enforceNodeAllocatable);
  const needed: [Enforcement[], string, string][] = [
    [['system-reserved', 'system-reserved-compressible'], systemReservedCgroup, 'system'],
    [['kube-reserved', 'kube-reserved-compressible'], kubeReservedCgroup, 'kube'],
  ];
  for (const [wanting, cgroup, name] of needed) {
    const asked = enforce.filter((one) => wanting.includes(one));
    if (asked.length > 1)
      throw new Error(
        `invalid configuration: both "${wanting[0]}" and "${wanting[1]}" cannot be specified in enforceNodeAllocatable (--enforce-node-allocatable)`,
      );
    if (asked.length > 0 && cgroup === '')
      throw new Error(
        `invalid configuration: ${name}ReservedCgroup (--${name}-reserved-cgroup) must be specified when "${asked[0]}" contained in enforceNodeAllocatable (--enforce-node-allocatable)`,
      );
  }
  const [systemReserved, kubeReserved] = [parseReservation(flags.systemReserved), parseReservation(flags.kubeReserved)];
  if (reservedCpus === '') return { enforce, systemReserved, kubeReserved, systemReservedCgroup, kubeReservedCgroup };
  if (systemReservedCgroup !== '' || kubeReservedCgroup !== '')
    throw new Error(
      "invalid configuration: can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)",
    );
  // Reserved processors are a number: Pods are not kept off them without a static CPU manager policy.
  const { cpu: _cpu, ...rest } = kubeReserved;
  const reserved = parseCPUs(reservedCpus, cpus);
  return {
    enforce,
    systemReservedCgroup,
    kubeReservedCgroup,
    systemReserved: { ...systemReserved, cpu: reserved * 1000 },
    kubeReserved: rest,
  };
}

function parseEnforcements(text: string): Enforcement[] {
  const names = text.split(',').filter((name) => name !== '');
  const parsed = names.map((name) => {
    const known = enforcements.find((one) => one === name);
    if (known === undefined) {
      const valid = enforcements.map((one) => `"${one}"`).join(', ');
      throw new Error(
        `invalid configuration: option "${name}" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid options are ${valid}`,
      );
    }
    return known;
  });
  if (parsed.includes('none') && parsed.length > 1)
    throw new Error(
      'invalid configuration: enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
    );
  return parsed;
}

/** `cpu=500m,memory=1Gi,ephemeral-storage=2Gi,pid=1000` */
function parseReservation(text: string): NodeAmounts {
  const amounts: Partial<Record<ReservableResource, number>> = {};
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const [name = '', value, ...rest] = pair.split('=');
    if (value === undefined || rest.length > 0) throw new Error(`invalid reservation: malformed pair ${pair}, expect string=string`);
    const resource = reservable.find((one) => one === name.trim());
    if (resource === undefined) throw new Error(`cannot reserve "${name}" resource`);
    amounts[resource] = amountOf(resource, value.trim());
  }
  return amounts;
}

function amountOf(resource: ReservableResource, text: string): number {
  let amount: number;
  try {
    const quantity = parseQuantity(text);
    amount = resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to parse quantity "${text}" for "${resource}" resource: ${problem}`);
  }
  if (amount < 0) throw new Error(`resource quantity for "${resource}" cannot be negative: ${text}`);
  return amount;
}

/** How many CPUs a list names: `0-1,3` are three. */
function parseCPUs(list: string, cpus: number): number {
  const named = new Set<number>();
  for (const part of list.split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined || Number(last) < Number(first)) throw new Error(`unable to parse reserved-cpus list: ${list}`);
    if (Number(last) >= cpus) throw new Error(`unable to reserve CPUs ${list}: the machine has CPUs 0-${cpus - 1}`);
    for (let cpu = Number(first); cpu <= Number(last); cpu++) named.add(cpu);
  }
  return named.size;
}

/** Amount of a resource that the reservations keep from Pods, without eviction thresholds. */
export function reservedAmount({ systemReserved, kubeReserved }: AllocatableSettings, resource: ReservableResource): number {
  return (systemReserved[resource] ?? 0) + (kubeReserved[resource] ?? 0);
}

/**
 * Limits of all Pods together: all resources of the node, or those that the reservations leave if that is enforced. Huge pages
 * are set aside already, and no part of the memory that is left. An unknown capacity (0) is not limited; a limit of 0 would be
 * none.
 */
export function podsLimits(
  capacity: Required<Omit<NodeAmounts, 'ephemeral-storage'>>,
  settings: AllocatableSettings,
  hugePages: readonly HugePages[] = [],
  limitsHugePages = false,
): CgroupLimits {
  const isEnforced = settings.enforce.includes('pods');
  const left = (resource: keyof typeof capacity) => Math.max(0, capacity[resource] - (isEnforced ? reservedAmount(settings, resource) : 0));
  const huge = hugePages.reduce((sum, { sizeBytes, count }) => sum + sizeBytes * count, 0);
  const sizes = Object.fromEntries(hugePages.map(({ sizeBytes, count }) => [hugePageFileSize(sizeBytes), sizeBytes * count]));
  return {
    cpuShares: cpuShares(left('cpu')),
    ...(capacity.memory > 0 ? { memoryBytes: Math.max(1, left('memory') - huge) } : {}),
    ...(capacity.pid > 0 ? { pids: Math.max(1, left('pid')) } : {}),
    ...(limitsHugePages && hugePages.length > 0 ? { hugePages: sizes } : {}),
  };
}

/** A cgroup of the machine whose resources are limited to what is reserved for it. */
export interface ReservedCgroup {
  readonly name: string;
  readonly limits: CgroupLimits;
  /** The words of the events about it. */
  readonly title: { readonly failed: string; readonly updated: string };
}

export function reservedCgroups({ enforce, ...settings }: AllocatableSettings): ReservedCgroup[] {
  const parts = [
    {
      key: 'system-reserved',
      name: settings.systemReservedCgroup,
      amounts: settings.systemReserved,
      title: { failed: 'System Reserved', updated: 'system reserved' },
    },
    {
      key: 'kube-reserved',
      name: settings.kubeReservedCgroup,
      amounts: settings.kubeReserved,
      title: { failed: 'Kube Reserved', updated: 'kube reserved' },
    },
  ] as const;
  return parts.flatMap(({ key, name, amounts, title }) => {
    const isCompressible = enforce.includes(`${key}-compressible`);
    if (!isCompressible && !enforce.includes(key)) return [];
    const { cpu, memory, pid } = amounts;
    const shares = cpu === undefined ? {} : { cpuShares: cpuShares(cpu) };
    const rest = { ...(memory === undefined ? {} : { memoryBytes: memory }), ...(pid === undefined ? {} : { pids: pid }) };
    return [{ name, title, limits: isCompressible ? shares : { ...shares, ...rest } }];
  });
}
