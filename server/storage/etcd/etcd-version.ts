/** The first releases of a minor version whose answers to requests for progress never overtake events. */
const firstPatches: Readonly<Record<string, number>> = { '3.4': 31, '3.5': 13 };

/**
 * Whether a requested progress notification is ordered after all earlier events (etcd issue 15220). Upstream relies on it from v3.4.31 and
 * v3.5.13 on, and in every later minor version. A version that cannot be parsed counts as a later one.
 */
export function tellsProgressInOrder(version: string): boolean {
  const [, major = '', minor = '', patch = ''] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === '') return true;
  if (Number(major) < 3 || (major === '3' && Number(minor) < 4)) return false;
  return Number(patch) >= (firstPatches[`${major}.${minor}`] ?? 0);
}
