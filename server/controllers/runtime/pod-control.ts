import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { hasCause } from '../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod, PodTemplateSpec } from '../../../api/types/core-v1.ts';
import type { ControllerDependencies } from './define-controller.ts';

type Template = DeepReadonly<PodTemplateSpec>;
type Parts = Pick<ControllerDependencies, 'client' | 'events'>;

/** Names end where a random part of five characters still fits. */
const maxNameLength = 253;

/** A Pod as the owner's template describes it, controlled by the owner. The caller may go on modifying it. */
export function podFromTemplate(template: Template, owner: DeepReadonly<KubeObject>, resource: ResourceDefinition): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const prefix = `${owner.metadata.name ?? ''}-`;
  const kind = { apiVersion: apiVersionOf(resource), kind: resource.names.kind };
  const pod: Pod = {
    metadata: {
      generateName: prefix.length > maxNameLength ? (owner.metadata.name ?? '') : prefix,
      namespace: owner.metadata.namespace ?? '',
      ownerReferences: [controllerReference(owner, kind)],
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
    },
  };
  if (template.spec !== undefined) pod.spec = structuredClone(template.spec) as NonNullable<Pod['spec']>;
  return pod;
}

/** Creates the Pod and records on the owner that it was, or why it was not. */
export async function createPod(parts: Parts, pod: Pod, owner: DeepReadonly<KubeObject>, resource: ResourceDefinition): Promise<Pod> {
  try {
    const created = await parts.client(pods).create(pod);
    parts.events.event(referenceTo(resource, owner), 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
    return created;
  } catch (error) {
    // Nothing can be created in a terminating namespace, so this failure is not reported.
    if (!isNamespaceTerminating(error)) {
      parts.events.event(referenceTo(resource, owner), 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** Deletes the Pod and records it on the owner. A Pod that is gone already throws NotFound, which callers may ignore. */
export async function deletePod(
  parts: Parts,
  pod: DeepReadonly<Pod>,
  owner: DeepReadonly<KubeObject>,
  resource: ResourceDefinition,
): Promise<void> {
  try {
    await parts.client(pods).delete(keyOf(pod));
  } catch (error) {
    if (!hasReason(error, 'NotFound')) {
      parts.events.event(referenceTo(resource, owner), 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    }
    throw error;
  }
  parts.events.event(referenceTo(resource, owner), 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
}

export function isNamespaceTerminating(error: unknown): boolean {
  return hasCause(error, 'NamespaceTerminating');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
