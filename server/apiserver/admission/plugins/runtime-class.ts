import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../../api/base/equality.ts';
import { quote } from '../../../../api/base/quote.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { runtimeClasses } from '../../../../api/resources/node/v1/runtime-class.ts';
import { canonicalizeQuantity } from '../../../../api/base/quantity/quantity.ts';
import type { PodSpec } from '../../../../api/types/core-v1.ts';
import type { RuntimeClass } from '../../../../api/types/node-v1.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, refuse } from '../admission-request.ts';
import { findObject } from '../read-object.ts';

/** Adds the overhead, node selector and tolerations of its RuntimeClass to a Pod (KEP-688, KEP-894). */
export const runtimeClass = defineAdmissionPlugin({
  name: 'RuntimeClass',
  operations: ['CREATE'],
  resources: [pods],
  reads: [runtimeClasses],
  async admit(request, dependencies) {
    const spec = newObject(request, pods)?.spec;
    const name = spec?.runtimeClassName;
    if (!spec || name === undefined) return;
    const found = await findObject(dependencies, runtimeClasses, { namespace: '', name });
    if (!found) throw refuse(request, `pod rejected: RuntimeClass ${quote(name)} not found`);
    const problem = addOverhead(spec, found) ?? addScheduling(spec, found);
    if (problem !== undefined) throw refuse(request, problem);
  },
  async validate(request, dependencies) {
    const spec: DeepReadonly<PodSpec> | undefined = newObject(request, pods)?.spec;
    if (spec?.overhead === undefined || Object.keys(spec.overhead).length === 0) return;
    const name = spec.runtimeClassName;
    const found = name === undefined ? undefined : await findObject(dependencies, runtimeClasses, { namespace: '', name });
    if (found?.overhead === undefined)
      throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
});

function addOverhead(spec: PodSpec, { overhead }: DeepReadonly<RuntimeClass>): string | undefined {
  const fixed = overhead?.podFixed;
  if (fixed === undefined) return undefined;
  if (spec.overhead !== undefined && !isEqual(canonical(spec.overhead), canonical(fixed))) {
    return "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
  }
  spec.overhead = { ...fixed };
  return undefined;
}

function canonical(list: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, canonicalizeQuantity(quantity)]));
}

function addScheduling(spec: PodSpec, { scheduling }: DeepReadonly<RuntimeClass>): string | undefined {
  const selector = scheduling?.nodeSelector;
  for (const [key, value] of Object.entries(selector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own === undefined || own === value) continue;
    return `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
  }
  if (selector) spec.nodeSelector = { ...spec.nodeSelector, ...selector };
  const tolerations = spec.tolerations ?? [];
  const added = (scheduling?.tolerations ?? []).filter((wanted) => !tolerations.some((own) => isEqual(own, wanted)));
  if (added.length > 0) spec.tolerations = [...tolerations, ...added.map((toleration) => ({ ...toleration }))];
  return undefined;
}
