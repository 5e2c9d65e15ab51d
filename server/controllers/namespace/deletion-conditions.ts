import { withCondition } from '../../../api/meta/conditions.ts';
import type { NamespaceCondition } from '../../../api/types/core-v1.ts';

/** The results of one attempt at emptying a namespace. */
export interface DeletionFindings {
  readonly discoveryFailures: readonly string[];
  /** The failed deletions, one message each. */
  readonly deletionFailures: readonly string[];
  /** Resources of which objects remain. */
  readonly remaining: readonly { readonly resource: string; readonly group: string; readonly count: number }[];
  /** Finalizers that hold objects back, and how many. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** The conditions of a terminating Namespace, with upstream's reasons and messages. */
export function deletionConditions(
  present: readonly NamespaceCondition[],
  findings: DeletionFindings,
  now: string,
): readonly NamespaceCondition[] {
  let conditions = present;
  const set = (type: NamespaceCondition['type'], isTrue: boolean, reason: string, message: string) => {
    conditions = withCondition(conditions, { type, status: isTrue ? 'True' : 'False', reason, message, lastTransitionTime: now });
  };
  const { discoveryFailures, deletionFailures, remaining, finalizers } = findings;

  if (discoveryFailures.length > 0) {
    const message = `Discovery failed for some groups, ${discoveryFailures.length} failing: ${discoveryFailures.join(', ')}`;
    set('NamespaceDeletionDiscoveryFailure', true, 'DiscoveryFailed', message);
  } else set('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered');

  set('NamespaceDeletionGroupVersionParsingFailure', false, 'ParsedGroupVersions', 'All legacy kube types successfully parsed');

  if (deletionFailures.length > 0) {
    const message = `Failed to delete all resource types, ${deletionFailures.length} remaining: ${[...deletionFailures].sort().join(', ')}`;
    set('NamespaceDeletionContentFailure', true, 'ContentDeletionFailed', message);
  } else {
    const message = 'All content successfully deleted, may be waiting on finalization';
    set('NamespaceDeletionContentFailure', false, 'ContentDeleted', message);
  }

  const counts = remaining.filter(({ count }) => count > 0);
  if (counts.length > 0) {
    const texts = counts.map(({ resource, group, count }) => `${resource}.${group} has ${count} resource instances`).sort();
    set('NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${texts.join(', ')}`);
  } else set('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed');

  if (finalizers.size > 0) {
    const texts = Array.from(finalizers, ([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
    const message = `Some content in the namespace has finalizers remaining: ${texts.join(', ')}`;
    set('NamespaceFinalizersRemaining', true, 'SomeFinalizersRemain', message);
  } else set('NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished');
  return conditions;
}
