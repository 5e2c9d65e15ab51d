import { quote } from '../../../../../api/base/quote.ts';
import {
  formatLevelVersion,
  isFullyPrivileged,
  isSameLevelVersion,
  type LevelVersion,
  levelLabel,
  type PodSecurityPolicy,
  versionLabel,
} from '../../../../../api/semantics/pod-security/policy.ts';
import type { AdmissionRequest } from '../../admission.ts';
import type { PodSecurityConfiguration } from './configuration.ts';

/** Whether a request's namespace or user is left out of the standards. */
export function isExempt({ exemptions }: PodSecurityConfiguration, { namespace, user, annotate }: AdmissionRequest): boolean {
  const byNamespace = exemptions.namespaces.includes(namespace);
  if (!byNamespace && !exemptions.usernames.includes(user.name)) return false;
  annotate?.('pod-security.kubernetes.io/exempt', byNamespace ? 'namespace' : 'user');
  return true;
}

/** The warning for an exempt namespace that is labelled; none where the labels ask for nothing. */
export function warningOfExemptNamespace(
  name: string,
  labels: Readonly<Record<string, string>>,
  policy: PodSecurityPolicy,
  defaults: PodSecurityPolicy,
): string | undefined {
  const isEquivalent = (a: LevelVersion, b: LevelVersion) =>
    (a.level === 'privileged' && b.level === 'privileged') || isSameLevelVersion(a, b);
  const modes = ['enforce', 'audit', 'warn'] as const;
  if (isFullyPrivileged(policy) || modes.every((mode) => isEquivalent(policy[mode], defaults[mode]))) return undefined;
  const asked = modes
    .filter((mode) => policy[mode].level !== 'privileged' && (levelLabel(mode) in labels || versionLabel(mode) in labels))
    .map((mode) => `${mode}=${formatLevelVersion(policy[mode])}`);
  return `namespace ${quote(name)} is exempt from Pod Security, and the policy (${asked.join(', ')}) will be ignored`;
}
