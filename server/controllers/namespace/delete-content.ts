import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { listAll } from '../../../api/client/list-pages.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ControllerDependencies } from '../runtime/define-controller.ts';
import { discoverResources } from '../runtime/discover-resources.ts';
import { messageOf } from '../runtime/pod-control.ts';
import type { DeletionFindings } from './deletion-conditions.ts';

interface ContentDeletion extends DeletionFindings {
  /** When to look again, 0 if nothing remains. */
  readonly estimateSeconds: number;
  readonly error?: unknown;
}

/** How long objects with finalizers are given before they are looked at again. */
const finalizerEstimateSeconds = 15;

/**
 * Deletes everything in the namespace: Pods first, and all else only when no Pod is left, so that what Pods depend on
 * (network policies, secrets) outlives them (KEP-5080).
 */
export async function deleteContent({ client, signal }: ControllerDependencies, namespace: string): Promise<ContentDeletion> {
  const { resources, failures } = await discoverResources(client, signal);
  const deletable = resources.filter(({ scope, verbs }) => scope === 'Namespaced' && verbs.includes('delete') && verbs.includes('list'));
  const findings = {
    discoveryFailures: failures.map(({ groupVersion, error }) => `${groupVersion}: ${messageOf(error)}`),
    deletionFailures: [] as string[],
    remaining: [] as { resource: string; group: string; count: number }[],
    finalizers: new Map<string, number>(),
    estimateSeconds: 0,
    error: failures[0]?.error,
  };
  const isPods = (resource: ResourceDefinition) => groupResource(resource) === groupResource(pods);
  for (const group of [deletable.filter(isPods), deletable.filter((resource) => !isPods(resource))]) {
    for (const resource of group) {
      try {
        const left = await deleteAll(client, resource, namespace, signal);
        if (left.length === 0) continue;
        findings.remaining.push({ resource: resource.names.plural, group: resource.group, count: left.length });
        findings.estimateSeconds = Math.max(findings.estimateSeconds, estimate(resource, left, findings.finalizers));
      } catch (error) {
        findings.error ??= error;
        findings.deletionFailures.push(messageOf(error));
      }
    }
    if (findings.remaining.length > 0) break;
  }
  return findings;
}

/** Deletes all objects of a resource and returns those that are still there. */
async function deleteAll(
  client: Client,
  resource: ResourceDefinition<KubeObject>,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const objects = client(resource);
  try {
    if (resource.verbs.includes('deletecollection')) {
      await objects.deleteCollection({ namespace, propagationPolicy: 'Background', signal });
    } else {
      const { items } = await listAll(objects, { namespace, signal });
      for (const item of items) await ignoreNotFound(objects.delete(keyOf(item), { propagationPolicy: 'Background', signal }));
    }
    return (await listAll(objects, { namespace, signal })).items;
  } catch (error) {
    // The resource itself has gone meanwhile, as those of a deleted CustomResourceDefinition do.
    if (hasReason(error, 'NotFound') || hasReason(error, 'MethodNotAllowed')) return [];
    throw error;
  }
}

function estimate(resource: ResourceDefinition, left: readonly KubeObject[], finalizers: Map<string, number>): number {
  for (const { metadata } of left) {
    for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
  if (groupResource(resource) === groupResource(pods)) {
    const running = (left as Pod[]).filter((pod) => !isPodFinished(pod));
    const longest = Math.max(0, ...running.map((pod) => pod.spec?.terminationGracePeriodSeconds ?? 0));
    if (longest > 0) return longest;
  }
  if (left.some(({ metadata }) => (metadata.finalizers ?? []).length > 0)) return finalizerEstimateSeconds;
  const names = left.map(({ metadata }) => metadata.name).slice(0, 10);
  throw new Error(`unexpected items still remain in the namespace for ${groupResource(resource)}: ${names.join(', ')}`);
}
