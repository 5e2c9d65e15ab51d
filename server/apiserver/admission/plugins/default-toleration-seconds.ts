import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { wellKnownTaints } from '../../../../api/semantics/nodes/taints.ts';
import type { Toleration } from '../../../../api/types/core-v1.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

const seconds = 300;

/** Adds tolerations of five minutes for nodes that are not ready or unreachable to Pods without such tolerations. */
export const defaultTolerationSeconds = defineAdmissionPlugin({
  name: 'DefaultTolerationSeconds',
  operations: ['CREATE', 'UPDATE'],
  resources: [pods],
  async admit(request) {
    const spec = newObject(request, pods)?.spec;
    if (!spec) return;
    const tolerations = spec.tolerations ?? [];
    const missing = [wellKnownTaints.notReady, wellKnownTaints.unreachable].filter((key) => !tolerations.some((one) => covers(one, key)));
    if (missing.length === 0) return;
    const added = missing.map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }));
    spec.tolerations = [...tolerations, ...added];
  },
});

/** Tests whether a toleration decides on the taint, whatever its operator and value: it names the taint, or none. */
function covers({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute');
}
