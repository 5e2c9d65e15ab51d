import type { Affinity, PodAffinityTerm, PodSpec } from '../../../../types/core-v1.ts';
import type { LabelSelector } from '../../../../types/meta-v1.ts';

/**
 * Writes the labels that matchLabelKeys and mismatchLabelKeys name into the selectors they belong to, with the values that
 * the Pod itself has (KEP-3633, KEP-3243). Modifies.
 */
export function mergeMatchLabelKeys(spec: PodSpec, labels: Readonly<Record<string, string>>): void {
  for (const term of affinityTerms(spec.affinity)) {
    if (!term.labelSelector) continue;
    addRequirements(term.labelSelector, term.matchLabelKeys, 'In', labels);
    addRequirements(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels);
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? []) {
    if (labelSelector) addRequirements(labelSelector, matchLabelKeys, 'In', labels);
  }
}

function affinityTerms(affinity: Affinity | undefined): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
}

function addRequirements(
  selector: LabelSelector,
  keys: readonly string[] | undefined,
  operator: string,
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] });
  }
}
