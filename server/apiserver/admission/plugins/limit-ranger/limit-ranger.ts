import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { limitRanges } from '../../../../../api/resources/core/v1/limit-range.ts';
import { persistentVolumeClaims } from '../../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import type { LimitRange } from '../../../../../api/types/core-v1.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../../admission.ts';
import { newObject, refuse } from '../../admission-request.ts';
import { addDefaults } from './defaults.ts';
import { checkClaim, checkPod } from './constraints.ts';

/** The milliseconds for which a namespace without limit ranges is remembered, while the informer shows none either. */
const emptyMs = 30_000;
const maxRemembered = 10_000;
const remembered = new WeakMap<
  AdmissionDependencies,
  Map<string, { readonly untilMs: number; readonly items: readonly DeepReadonly<LimitRange>[] }>
>();

/** Gives containers the namespace's default requests and limits, and holds Pods and claims to its minima and maxima. */
export const limitRanger = defineAdmissionPlugin({
  name: 'LimitRanger',
  operations: ['CREATE', 'UPDATE'],
  resources: [pods, persistentVolumeClaims],
  reads: [limitRanges],
  async admit(request, dependencies) {
    // Containers of an existing Pod cannot be changed any more.
    const pod = request.operation === 'CREATE' ? newObject(request, pods) : undefined;
    if (pod) for (const range of await rangesOf(request, dependencies)) addDefaults(pod, range);
  },
  async validate(request, dependencies) {
    const pod = request.operation === 'CREATE' ? newObject(request, pods) : newObject(request, pods, 'resize');
    const claim = newObject(request, persistentVolumeClaims);
    if (!pod && !claim) return;
    for (const range of await rangesOf(request, dependencies)) {
      const problems = pod ? checkPod(pod, range) : claim ? checkClaim(claim, range) : [];
      if (problems.length > 0) throw refuse(request, problems.length === 1 ? `${problems[0]}` : `[${problems.join(', ')}]`);
    }
  },
});

async function rangesOf(
  { namespace }: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<readonly DeepReadonly<LimitRange>[]> {
  const { lister, client, clock } = dependencies;
  const known = lister(limitRanges).list({ namespace });
  if (known.length > 0) return known;
  let entries = remembered.get(dependencies);
  if (!entries) remembered.set(dependencies, (entries = new Map()));
  const entry = entries.get(namespace);
  if (entry && entry.untilMs >= clock.nowMs()) return entry.items;
  const { items } = await client(limitRanges).list({ namespace });
  entries.delete(namespace);
  entries.set(namespace, { untilMs: clock.nowMs() + emptyMs, items });
  const [oldest] = entries.keys();
  if (entries.size > maxRemembered && oldest !== undefined) entries.delete(oldest);
  return items;
}
