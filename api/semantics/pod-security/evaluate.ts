import { baselineChecks } from './baseline-checks.ts';
import type { Check, CheckPod, PodFacts, Violation } from './check.ts';
import type { LevelVersion } from './policy.ts';
import { restrictedChecks } from './restricted-checks.ts';

/** Violations of a standard, as it was in that version, by a Pod; none: it may run under it. */
export function findViolations({ level, version }: LevelVersion, pod: PodFacts): Violation[] {
  if (level === 'privileged') return [];
  const minor = version === 'latest' ? Number.POSITIVE_INFINITY : version;
  const restricted = level === 'restricted' ? restrictedChecks.filter((check) => versionAt(check, minor)) : [];
  const overridden = new Set(restricted.map(({ overrides }) => overrides));
  const checks = [...baselineChecks.filter(({ id }) => !overridden.has(id)), ...restricted];
  return checks.flatMap((check) => versionAt(check, minor)?.(pod) ?? []);
}

function versionAt({ versions }: Check, minor: number): CheckPod | undefined {
  return versions.findLast(([since]) => since <= minor)?.[1];
}

/** `privileged, seccompProfile`. */
export function formatReasons(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(', ');
}

/** `privileged (container "a" must not ...), ...`. */
export function formatViolations(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}
