import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isRunning, type RuntimeContainer, type RuntimePod } from '../runtime/runtime-pod.ts';
import { isAbout } from '../containers/restart-rules.ts';

/** A start over of the whole Pod in its sandbox (KEP-5532): init containers first, as if nothing had run yet. */
interface StartOver {
  /** Still run from before; they have to end first. */
  readonly leftovers: readonly RuntimeContainer[];
  /** The containers that have been started since. */
  readonly runtimePod: RuntimePod;
}

/** Undefined unless a container has ended with an exit code for which all are to begin anew. */
export function findStartOver({ spec }: DeepReadonly<Pod>, runtimePod: RuntimePod): StartOver | undefined {
  let since: bigint | undefined;
  for (const { name, restartPolicyRules = [] } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    const rules = restartPolicyRules.filter(({ action }) => action === 'RestartAllContainers');
    if (rules.length === 0) continue;
    for (const { metadata, state, exit_code, finished_at } of runtimePod.containers) {
      if (metadata.name !== name || state !== 'CONTAINER_EXITED' || !rules.some((rule) => isAbout(rule, exit_code))) continue;
      const endedAt = BigInt(finished_at);
      if (since === undefined || endedAt > since) since = endedAt;
    }
  }
  if (since === undefined) return undefined;
  const [endedAt, ephemeral] = [since, new Set((spec?.ephemeralContainers ?? []).map(({ name }) => name))];
  const isOld = ({ created_at, metadata }: RuntimeContainer) => BigInt(created_at) <= endedAt && !ephemeral.has(metadata.name);
  return {
    leftovers: runtimePod.containers.filter((container) => isOld(container) && isRunning(container)),
    runtimePod: { ...runtimePod, containers: runtimePod.containers.filter((container) => !isOld(container)) },
  };
}
