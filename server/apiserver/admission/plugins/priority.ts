import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { priorityClasses } from '../../../../api/resources/scheduling/v1/priority-class.ts';
import type { Pod } from '../../../../api/types/core-v1.ts';
import type { PriorityClass } from '../../../../api/types/scheduling-v1.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { isResource, newObject, oldObject, refuse } from '../admission-request.ts';

/** Sets a Pod's priority and preemption policy by its priorityClassName, and allows only one default class. */
export const priority = defineAdmissionPlugin({
  name: 'Priority',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources: [pods, priorityClasses],
  reads: [priorityClasses],
  async admit(request, dependencies) {
    if (request.operation === 'DELETE') return keepSystemClass(request);
    const pod = newObject(request, pods);
    if (!pod?.spec) return;
    if (request.operation === 'UPDATE') keepPriority(pod, oldObject(request, pods));
    else await setPriority(request, pod, dependencies);
  },
  async validate(request, { lister }) {
    const changed = newObject(request, priorityClasses);
    if (!changed?.globalDefault) return;
    const present = defaultClass(lister(priorityClasses).list());
    if (!present || (request.operation === 'UPDATE' && present.metadata.name === changed.metadata.name)) return;
    throw refuse(request, `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`);
  },
});

/** The classes that the Pods of the cluster itself have. */
const systemClasses: ReadonlySet<string> = new Set(['system-cluster-critical', 'system-node-critical']);

function keepSystemClass(request: AdmissionRequest): void {
  if (isResource(request, priorityClasses) && systemClasses.has(request.name))
    throw refuse(request, 'this is a system priority class and cannot be deleted');
}

/** Clients that do not know the fields write Pods back without them. */
function keepPriority({ spec }: Pod, old: DeepReadonly<Pod> | undefined): void {
  if (!spec || !old?.spec) return;
  if (spec.priority === undefined && old.spec.priority !== undefined) spec.priority = old.spec.priority;
  if (spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined) spec.preemptionPolicy = old.spec.preemptionPolicy;
}

async function setPriority(request: AdmissionRequest, { spec }: Pod, { lister, client }: AdmissionDependencies): Promise<void> {
  if (!spec) return;
  let found: DeepReadonly<PriorityClass> | undefined;
  if (spec.priorityClassName) {
    const key = { namespace: '', name: spec.priorityClassName };
    found = lister(priorityClasses).find(key) ?? (await ignoreNotFound(client(priorityClasses).get(key)));
    if (!found) throw refuse(request, `no PriorityClass with name ${spec.priorityClassName} was found`);
  } else {
    found = defaultClass(lister(priorityClasses).list());
    if (found?.metadata.name) spec.priorityClassName = found.metadata.name;
  }
  const value = found?.value ?? 0;
  const policy = found ? found.preemptionPolicy : 'PreemptLowerPriority';
  if (spec.priority !== undefined && spec.priority !== value) {
    const message = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    throw refuse(request, message);
  }
  spec.priority = value;
  if (policy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const message = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw refuse(request, message);
  }
  spec.preemptionPolicy = policy;
}

/** Of several default classes the one with the lowest value counts. */
function defaultClass(classes: readonly DeepReadonly<PriorityClass>[]): DeepReadonly<PriorityClass> | undefined {
  let least: DeepReadonly<PriorityClass> | undefined;
  for (const candidate of classes)
    if (candidate.globalDefault && (!least || (candidate.value ?? 0) < (least.value ?? 0))) least = candidate;
  return least;
}
