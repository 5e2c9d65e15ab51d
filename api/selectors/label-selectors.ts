import type { DeepReadonly } from '../base/deep-readonly.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../types/meta-v1.ts';

type Labels = Readonly<Record<string, string>> | undefined;

function ownValue(labels: Labels, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Whether `labels` has every pair of `selector`; an empty or absent selector matches nothing (Services, ReplicationControllers). */
export function matchesLabelMap(selector: Labels, labels: Labels): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => ownValue(labels, key) === value);
}

function matchesRequirement({ key, operator, values = [] }: DeepReadonly<LabelSelectorRequirement>, labels: Labels): boolean {
  const actual = ownValue(labels, key);
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    default:
      return false;
  }
}

/** Whether the labels satisfy the selector: an absent one matches nothing, an empty one everything. */
export function matchesLabelSelector(selector: DeepReadonly<LabelSelector> | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (ownValue(labels, key) !== value) return false;
  }
  return (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels));
}

export function isEmptyLabelSelector(selector: DeepReadonly<LabelSelector> | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
}

function formatRequirement({ key, operator, values = [] }: DeepReadonly<LabelSelectorRequirement>): string {
  const sorted = [...values].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${sorted})`;
    case 'NotIn':
      return `${key} notin (${sorted})`;
    case 'Exists':
      return key;
    default:
      return `!${key}`;
  }
}

/** The selector in the grammar of `kubectl -l`, sorted by key; `<none>` for an empty selector. */
export function formatLabelSelector(selector: DeepReadonly<LabelSelector> | undefined): string {
  if (isEmptyLabelSelector(selector)) return '<none>';
  const pairs = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const requirements = (selector?.matchExpressions ?? []).map((requirement) => ({
    key: requirement.key,
    text: formatRequirement(requirement),
  }));
  return [...pairs, ...requirements]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',');
}

/** `a=b,c=d`, sorted by key; `<none>` for no labels. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',');
}
