import { isEqual } from '../../../api/base/equality.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { formatKey, type KubeObject, keyOf } from '../../../api/meta/object.ts';
import { findController, type OwnerReferenceLike } from '../../../api/meta/owner-references.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { LabelSelector } from '../../../api/types/meta-v1.ts';
import type { ControllerSetup } from './define-controller.ts';
import type { Expectations } from './expectations.ts';

interface FollowPodsSettings<O extends KubeObject> {
  readonly resource: ResourceDefinition<O>;
  readonly expectations: Expectations;
  selectorOf(owner: DeepReadonly<O>): DeepReadonly<LabelSelector> | undefined;
  minReadySecondsOf?(owner: DeepReadonly<O>): number;
}

/** Enqueues the owners of changed Pods, and fulfils their expectations. */
export function followPods<O extends KubeObject>(setup: ControllerSetup, settings: FollowPodsSettings<O>): void {
  const { resource, expectations, selectorOf } = settings;
  const owners = setup.informer(resource).lister;

  /** Compares uids too: an owner that was deleted and created again is another object. */
  const resolve = (pod: DeepReadonly<Pod>, reference: OwnerReferenceLike | undefined): DeepReadonly<O> | undefined => {
    if (reference?.kind !== resource.names.kind || groupOf(reference.apiVersion) !== resource.group) return undefined;
    const owner = owners.find({ namespace: pod.metadata.namespace ?? '', name: reference.name });
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  };
  const enqueueMatching = (pod: DeepReadonly<Pod>) => {
    const matches = (owner: DeepReadonly<O>) => matchesLabelSelector(selectorOf(owner), pod.metadata.labels);
    for (const owner of owners.list({ namespace: pod.metadata.namespace ?? '', matches })) setup.enqueue(keyOf(owner));
  };
  const deleted = (pod: DeepReadonly<Pod>) => {
    const owner = resolve(pod, findController(pod));
    if (owner === undefined) return;
    expectations.deletionObserved(formatKey(keyOf(owner)), pod.metadata.uid ?? '');
    setup.enqueue(keyOf(owner));
  };
  setup.informer(pods).addHandler({
    onAdd(pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return deleted(pod);
      const reference = findController(pod);
      if (reference === undefined) return enqueueMatching(pod);
      const owner = resolve(pod, reference);
      if (owner === undefined) return;
      expectations.creationObserved(formatKey(keyOf(owner)));
      setup.enqueue(keyOf(owner));
    },
    onUpdate(pod, old) {
      const labelsChanged = !isEqual(pod.metadata.labels, old.metadata.labels);
      if (pod.metadata.deletionTimestamp !== undefined) {
        deleted(pod);
        if (labelsChanged) deleted(old);
        return;
      }
      const reference = findController(pod);
      const oldReference = findController(old);
      const ownerChanged = reference?.uid !== oldReference?.uid;
      const oldOwner = ownerChanged ? resolve(old, oldReference) : undefined;
      if (oldOwner !== undefined) setup.enqueue(keyOf(oldOwner));
      if (reference !== undefined) {
        const owner = resolve(pod, reference);
        if (owner === undefined) return;
        setup.enqueue(keyOf(owner));
        const minReadySeconds = settings.minReadySecondsOf?.(owner) ?? 0;
        // Adds one second, since times in the API are cut to seconds.
        if (minReadySeconds > 0 && !isPodReady(old) && isPodReady(pod)) setup.enqueue(keyOf(owner), minReadySeconds + 1);
      } else if (labelsChanged || ownerChanged) enqueueMatching(pod);
    },
    onDelete: deleted,
  });
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
