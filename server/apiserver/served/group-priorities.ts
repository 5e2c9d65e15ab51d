/** How a group version stands among others: APIService's groupPriorityMinimum and versionPriority. */
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

/** The priority of groups of CustomResourceDefinitions. */
const customGroupPriority = 1000;

const ranks = new Map(groupVersionPriorities.map((priority) => [`${priority.group}/${priority.version}`, priority]));
const groupRanks = new Map(groupVersionPriorities.map((priority) => [priority.group, priority.groupPriority]));

/** Order of groups in discovery. */
export function compareGroups(a: string, b: string): number {
  return (groupRanks.get(b) ?? customGroupPriority) - (groupRanks.get(a) ?? customGroupPriority) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Order of the versions of one group in discovery, the preferred one first. */
export function compareVersions(group: string, a: string, b: string): number {
  const [left, right] = [ranks.get(`${group}/${a}`), ranks.get(`${group}/${b}`)];
  if (left && right) return right.versionPriority - left.versionPriority;
  if (left || right) return left ? -1 : 1;
  return compareVersionNames(a, b);
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
