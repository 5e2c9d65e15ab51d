import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { StrategyContext } from '../../../resource/resource-definition.ts';
import { formatTime } from '../../../meta/time.ts';
import { isPodFinished } from '../../../semantics/pods/pod-phase.ts';
import { computeQOSClass } from '../../../semantics/pods/qos-class.ts';
import type { Pod, PodCondition, PodSpec } from '../../../types/core-v1.ts';
import { type FieldError, forbidden } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { podColumns, podRowConditions } from './pods/pod-columns.ts';
import { validateImagePadding } from './pod-spec/containers.ts';
import { mergeMatchLabelKeys } from './pod-spec/match-label-keys.ts';
import { validatePodAnnotations } from './pod-spec/pod-template.ts';
import { validatePodSpec } from './pod-spec/pod-spec.ts';
import { podWarnings } from './pod-spec/pod-warnings.ts';
import { mirrorServiceAccount } from './pod-spec/service-account.ts';
import { hostnameWarnings } from './pod-spec/workload-template.ts';
import { validatePodStatusUpdate } from './pods/pod-status-update.ts';
import { validateEphemeralContainersUpdate, validatePodResize } from './pods/pod-subresource-update.ts';
import { validatePodUpdate } from './pods/pod-update.ts';

const emptySpec: PodSpec = { containers: [] };

/** A group of containers that share a node, a network and volumes. */
export const pods = defineResource<Pod>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Pod', plural: 'pods', shortNames: ['po'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.Pod',
  resetFields: { status: [['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']] },
  subresources: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    binding: { kind: 'Binding', verbs: ['create'] },
    ephemeralcontainers: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    log: { kind: 'Pod', verbs: ['get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    resize: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'pods',
  hasGeneration: true,
  printerColumns: podColumns,
  rowConditions: podRowConditions,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },

  /** Pods that never got to a node or have ended need no time to end. */
  gracePeriodSeconds(pod, requested) {
    if (!pod.spec?.nodeName || isPodFinished(pod)) return 0;
    const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    return seconds < 0 ? 1 : seconds;
  },
  default(pod) {
    mirrorServiceAccount(pod.spec);
    mirrorAddresses(pod);
    // Only Pods are corrected; templates keep the value.
    if ((pod.spec?.terminationGracePeriodSeconds ?? 0) < 0) Object.assign(pod.spec ?? {}, { terminationGracePeriodSeconds: 1 });
  },
  prepareForCreate(pod, { nowMs }) {
    const spec = pod.spec ?? emptySpec;
    pod.status = { phase: 'Pending', qosClass: computeQOSClass(spec) };
    if (!pod.spec) return;
    mergeMatchLabelKeys(pod.spec, pod.metadata.labels ?? {});
    if ((pod.spec.schedulingGates ?? []).length > 0)
      pod.status.conditions = [{ ...schedulingGated, lastTransitionTime: formatTime(nowMs), lastProbeTime: null }];
  },
  prepareForUpdate,
  validate(pod, path, context) {
    if (context.subresource === 'status') return [];
    return [...validateWhole(pod, path), ...(context.operation === 'create' ? validateNew(pod, path) : [])];
  },
  validateUpdate(pod, old, path, context) {
    if (context.subresource === 'ephemeralcontainers') return validateEphemeralContainersUpdate(pod, old, path);
    if (context.subresource === 'resize') return validatePodResize(pod, old, path);
    return validatePodUpdate(pod, old, path);
  },
  validateStatusUpdate: validatePodStatusUpdate,
  canonicalize(pod) {
    mirrorServiceAccount(pod.spec);
    mirrorAddresses(pod);
  },
  /** Warnings of new Pods only: an existing Pod can hardly be changed any more. */
  warnings: (pod, old) =>
    old === undefined ? [...hostnameWarnings(pod.metadata.name, "the Pod's hostname"), ...podWarnings(pod, FieldPath.root)] : [],
});

const schedulingGated: PodCondition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

/** Copies between `podIP` and the first of `podIPs`. Older clients write and read only `podIP`, so it takes precedence over the list. */
function mirrorAddresses({ status }: Pod): void {
  if (!status) return;
  const first = status.podIPs?.[0]?.ip;
  if (status.podIP && status.podIP !== first) status.podIPs = [{ ip: status.podIP }];
  else if (first !== undefined) status.podIP = first;
}

function prepareForUpdate(pod: Pod, old: DeepReadonly<Pod>, { subresource }: StrategyContext): void {
  if (subresource === 'status') {
    // A reporter of a Pod's status may not hand it to another owner.
    if (old.metadata.ownerReferences)
      pod.metadata.ownerReferences = structuredClone(old.metadata.ownerReferences) as NonNullable<Pod['metadata']['ownerReferences']>;
    else delete pod.metadata.ownerReferences;
    const qosClass = old.status?.qosClass;
    if (pod.status && !pod.status.qosClass && qosClass) pod.status.qosClass = qosClass;
    return;
  }
  if (subresource !== 'ephemeralcontainers' || !pod.spec) return;
  const { ephemeralContainers } = pod.spec;
  pod.spec = structuredClone(old.spec ?? emptySpec) as NonNullable<Pod['spec']>;
  delete pod.spec.ephemeralContainers;
  if (ephemeralContainers) pod.spec.ephemeralContainers = ephemeralContainers;
}

function validateWhole(pod: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const { metadata, spec = emptySpec } = pod;
  const specPath = path.child('spec');
  const errors = [
    ...validatePodAnnotations(metadata.annotations, spec, path.child('metadata', 'annotations')),
    ...validatePodSpec(spec, specPath, { isPod: true, podName: metadata.name ?? '' }),
  ];
  if (!spec.serviceAccountName) {
    for (const [index, { projected }] of (spec.volumes ?? []).entries()) {
      for (const [sourceIndex, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
        const at = specPath.child('volumes').index(index).child('projected', 'sources').index(sourceIndex).child('serviceAccountToken');
        if (serviceAccountToken) errors.push(forbidden(at, 'must not be specified when serviceAccountName is not set'));
      }
    }
  }
  for (const field of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[field] ?? []).entries())
      errors.push(...validateImagePadding(container, specPath.child(field).index(index)));
  }
  return errors;
}

function validateNew({ spec }: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child('spec');
  if ((spec?.ephemeralContainers ?? []).length > 0) errors.push(forbidden(at.child('ephemeralContainers'), 'cannot be set on create'));
  if (spec?.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden(at.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}
