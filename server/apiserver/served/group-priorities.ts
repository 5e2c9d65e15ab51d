/** The priority of a group version among others: APIService's groupPriorityMinimum and versionPriority. */
export interface GroupVersionPriority {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
}

const entry = (group: string, version: string, groupPriority: number, versionPriority: number): GroupVersionPriority => ({
  group,
  version,
  groupPriority,
  versionPriority,
});

/** Upstream's ranks of the built-in group versions; groups are listed by rank, highest first. */
export const groupVersionPriorities: readonly GroupVersionPriority[] = [
  entry('', 'v1', 18_000, 1),
  entry('apiregistration.k8s.io', 'v1', 18_000, 15),
  entry('apps', 'v1', 17_800, 15),
  entry('events.k8s.io', 'v1', 17_750, 15),
  entry('authentication.k8s.io', 'v1', 17_700, 15),
  entry('authorization.k8s.io', 'v1', 17_600, 15),
  entry('autoscaling', 'v2', 17_500, 30),
  entry('autoscaling', 'v1', 17_500, 15),
  entry('batch', 'v1', 17_400, 15),
  entry('certificates.k8s.io', 'v1', 17_300, 15),
  entry('networking.k8s.io', 'v1', 17_200, 15),
  entry('policy', 'v1', 17_100, 15),
  entry('rbac.authorization.k8s.io', 'v1', 17_000, 15),
  entry('storage.k8s.io', 'v1', 16_800, 15),
  entry('admissionregistration.k8s.io', 'v1', 16_700, 15),
  entry('apiextensions.k8s.io', 'v1', 16_700, 15),
  entry('scheduling.k8s.io', 'v1', 16_600, 15),
  entry('coordination.k8s.io', 'v1', 16_500, 15),
  entry('node.k8s.io', 'v1', 16_300, 15),
  entry('discovery.k8s.io', 'v1', 16_200, 15),
  entry('resource.k8s.io', 'v1', 16_200, 15),
  entry('flowcontrol.apiserver.k8s.io', 'v1', 16_100, 21),
];

/** The priorities of group versions of CustomResourceDefinitions, and of all others that nothing is known of. */
const otherPriority = { groupPriority: 1000, versionPriority: 100 };

type Priorities = Pick<GroupVersionPriority, 'groupPriority' | 'versionPriority'>;

const ranks = new Map(groupVersionPriorities.map((priority) => [`${priority.group}/${priority.version}`, priority]));
const groupRanks = new Map(groupVersionPriorities.map((priority) => [priority.group, priority.groupPriority]));

/** How groups and their versions are ordered in discovery. */
interface DiscoveryOrder {
  compareGroups(a: string, b: string): number;
  /** Compares versions; the preferred one comes first. */
  compareVersions(group: string, a: string, b: string): number;
}

/** The order with further group versions, whose priorities count instead of those that are known of them. A group has the highest of its versions. */
export function createDiscoveryOrder(more: readonly GroupVersionPriority[]): DiscoveryOrder {
  const others = new Map(more.map((one) => [`${one.group}/${one.version}`, one]));
  const groups = new Map<string, number>();
  for (const { group, groupPriority } of more) groups.set(group, Math.max(groups.get(group) ?? groupRanks.get(group) ?? 0, groupPriority));
  const ofGroup = (group: string) => groups.get(group) ?? groupRanks.get(group) ?? otherPriority.groupPriority;
  const ofVersion = (group: string, version: string): Priorities =>
    others.get(`${group}/${version}`) ?? ranks.get(`${group}/${version}`) ?? otherPriority;
  return {
    compareGroups: (a, b) => ofGroup(b) - ofGroup(a) || (a < b ? -1 : a > b ? 1 : 0),
    compareVersions: (group, a, b) =>
      ofVersion(group, b).versionPriority - ofVersion(group, a).versionPriority || compareVersionNames(a, b),
  };
}

/** v2 before v1 before v1beta2 before v1beta1 before v1alpha1, before anything that is none of these (by name). */
function compareVersionNames(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0;
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor;
}

function parseVersion(text: string): { readonly stability: number; readonly major: number; readonly minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(text);
  if (!match) return undefined;
  const stability = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
  return { stability, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
