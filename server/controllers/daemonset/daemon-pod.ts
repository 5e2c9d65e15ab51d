import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { daemonSets } from '../../../api/resources/apps/v1/daemon-set.ts';
import { matchesRequiredNodeAffinity } from '../../../api/semantics/nodes/node-selectors.ts';
import { findUntoleratedTaint, wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import type { DaemonSet } from '../../../api/types/apps-v1.ts';
import type { Node, Pod, PodSpec, Toleration } from '../../../api/types/core-v1.ts';
import { revisionHashLabel } from '../runtime/controller-revisions.ts';
import { podFromTemplate } from '../runtime/pod-control.ts';

const generationAnnotation = 'deprecated.daemonset.template.generation';
const generationLabel = 'pod-template-generation';

/** The tolerations of daemons: a node in trouble needs them all the more. */
function daemonTolerations(usesHostNetwork: boolean): Toleration[] {
  const { notReady, unreachable, diskPressure, memoryPressure, pidPressure, unschedulable, networkUnavailable } = wellKnownTaints;
  const tolerate = (key: string, effect: 'NoExecute' | 'NoSchedule'): Toleration => ({ key, operator: 'Exists', effect });
  return [
    tolerate(notReady, 'NoExecute'),
    tolerate(unreachable, 'NoExecute'),
    ...[diskPressure, memoryPressure, pidPressure, unschedulable].map((key) => tolerate(key, 'NoSchedule')),
    ...(usesHostNetwork ? [tolerate(networkUnavailable, 'NoSchedule')] : []),
  ];
}

function withDaemonTolerations(spec: DeepReadonly<PodSpec> | undefined): Toleration[] {
  const present = (spec?.tolerations ?? []) as readonly Toleration[];
  const missing = daemonTolerations(spec?.hostNetwork === true).filter(
    ({ key, effect }) =>
      !present.some((toleration) => toleration.key === key && toleration.effect === effect && toleration.operator === 'Exists'),
  );
  return [...present, ...missing];
}

interface Placement {
  /** A Pod belongs there. */
  readonly shouldRun: boolean;
  /** A Pod that is there may stay. */
  readonly mayStay: boolean;
}

/** Whether the DaemonSet has a Pod on the node. */
export function placementOn(set: DeepReadonly<DaemonSet>, node: DeepReadonly<Node>): Placement {
  const spec = set.spec?.template.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return { shouldRun: false, mayStay: false };
  if (!matchesRequiredNodeAffinity(spec, node)) return { shouldRun: false, mayStay: false };
  const tolerations = withDaemonTolerations(spec);
  if (findUntoleratedTaint(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined)
    return { shouldRun: true, mayStay: true };
  const mayStay = findUntoleratedTaint(node.spec?.taints, tolerations, ['NoExecute']) === undefined;
  return { shouldRun: false, mayStay };
}

/** The Pod for one node. Its affinity keeps the scheduler from placing it elsewhere. */
export function daemonPod(set: DeepReadonly<DaemonSet>, nodeName: string, hash: string): Pod {
  const pod = podFromTemplate(set.spec?.template ?? {}, set, daemonSets);
  const generation = set.metadata.annotations?.[generationAnnotation];
  pod.metadata.labels = {
    ...pod.metadata.labels,
    [revisionHashLabel]: hash,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
  };
  if (pod.spec === undefined) return pod;
  pod.spec.tolerations = withDaemonTolerations(pod.spec);
  const { affinity } = pod.spec;
  pod.spec.affinity = {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }],
      },
    },
  };
  return pod;
}

/** The node that the Pod runs on, or is made for. */
export function targetNode(pod: DeepReadonly<Pod>): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const [field] = matchFields;
    if (field?.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1) return field.values[0] ?? '';
  }
  return '';
}

export function isUpToDate(pod: DeepReadonly<Pod>, set: DeepReadonly<DaemonSet>, hash: string): boolean {
  const generation = set.metadata.annotations?.[generationAnnotation];
  const labels = pod.metadata.labels ?? {};
  return labels[revisionHashLabel] === hash || (generation !== undefined && labels[generationLabel] === generation);
}
