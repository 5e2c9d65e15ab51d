import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../base/equality.ts';
import { quote } from '../../../../base/quote.ts';
import { diffJSON } from '../../../../resource/json-diff.ts';
import { isRestartableInitContainer } from '../../../../semantics/pods/pod-containers.ts';
import { isMirrorPod } from '../../../../semantics/pods/pod-phase.ts';
import { computeQOSClass, podQOSClass } from '../../../../semantics/pods/qos-class.ts';
import type { Container, Pod, PodSpec } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';

type Spec = DeepReadonly<PodSpec>;
const emptySpec: Spec = { containers: [] };

/** Subresource ephemeralcontainers: they can be added, never changed or taken away (KEP-277). */
export function validateEphemeralContainersUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  if (isMirrorPod(old)) return [forbidden(path, 'static pods do not support ephemeral containers')];
  const at = path.child('spec', 'ephemeralContainers');
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec?.ephemeralContainers ?? []).flatMap((before) => {
    const after = now.get(before.name);
    if (after === undefined) return [forbidden(at, `existing ephemeral containers ${quote(before.name)} may not be removed\n`)];
    if (isSemanticallyEqual(before, after)) return [];
    return [forbidden(at, `existing ephemeral containers ${quote(before.name)} may not be changed\n${diffJSON(before, after)}`)];
  });
}

/** Subresource resize: cpu and memory of containers that run (KEP-1287). */
export function validatePodResize(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const spec = pod.spec ?? emptySpec;
  const oldSpec = old.spec ?? emptySpec;
  if (isMirrorPod(old)) return [forbidden(path, 'static pods cannot be resized')];
  if (oldSpec.os?.name === 'windows') return [forbidden(path, 'windows pods cannot be resized')];
  const specPath = path.child('spec');
  if (podQOSClass(old) !== computeQOSClass(spec)) {
    return [invalid(specPath, pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing')];
  }
  const reordered = (['containers', 'initContainers'] as const).flatMap((field) =>
    validateOrder(spec[field] ?? [], oldSpec[field] ?? [], specPath.child(field)),
  );
  if (reordered.length > 0) return reordered;
  return [
    ...validateResized(spec.containers, oldSpec.containers, () => true, specPath),
    ...validateResized(spec.initContainers ?? [], oldSpec.initContainers ?? [], isRestartableInitContainer, specPath),
    ...validateRest(spec, oldSpec, specPath),
  ];
}

function validateOrder(
  containers: readonly DeepReadonly<Container>[],
  old: readonly DeepReadonly<Container>[],
  path: FieldPath,
): FieldError[] {
  if (containers.length !== old.length) return [forbidden(path, 'containers may not be added or removed on resize')];
  return containers.flatMap(({ name }, index) =>
    name === old[index]?.name ? [] : [forbidden(path.index(index).child('name'), 'containers may not be renamed or reordered on resize')],
  );
}

function validateResized(
  containers: readonly DeepReadonly<Container>[],
  old: readonly DeepReadonly<Container>[],
  mayResize: (container: DeepReadonly<Container>) => boolean,
  path: FieldPath,
): FieldError[] {
  return containers.flatMap((container, index) => {
    const before = old[index] ?? container;
    if (!mayResize(container)) {
      return isSemanticallyEqual(container, before) ? [] : [forbidden(path, 'resources for non-sidecar init containers are immutable')];
    }
    const subject = mayResize === isRestartableInitContainer ? ' for sidecar containers' : '';
    const same = isSemanticallyEqual(withoutComputeResources(container), withoutComputeResources(before));
    return same ? [] : [forbidden(path, `only cpu and memory resources${subject} are mutable`)];
  });
}

function withoutComputeResources(container: DeepReadonly<Container>): unknown {
  const { requests, limits, ...rest } = container.resources ?? {};
  const other = (list: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== 'cpu' && name !== 'memory'));
  return { ...container, resources: { ...rest, requests: other(requests), limits: other(limits) } };
}

function validateRest(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  const rest = ({ containers: _containers, initContainers: _initContainers, resources: _resources, ...others }: Spec) => others;
  if (isSemanticallyEqual(rest(spec), rest(old))) return [];
  return [forbidden(path, `only cpu and memory resources are mutable\n${diffJSON(rest(old), rest(spec))}`)];
}
