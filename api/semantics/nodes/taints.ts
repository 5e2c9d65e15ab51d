import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Taint, Toleration } from '../../types/core-v1.ts';

type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

/** Taints that the control plane itself puts on Nodes. */
export const wellKnownTaints = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  memoryPressure: 'node.kubernetes.io/memory-pressure',
  diskPressure: 'node.kubernetes.io/disk-pressure',
  pidPressure: 'node.kubernetes.io/pid-pressure',
  networkUnavailable: 'node.kubernetes.io/network-unavailable',
  outOfService: 'node.kubernetes.io/out-of-service',
} as const;

/** A taint of a Node or of a device. */
interface AnyTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

interface AnyToleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** Whether the toleration covers the taint: an empty key or effect covers all of them. */
export function toleratesTaint(toleration: AnyToleration, taint: AnyTaint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}

/** The first taint of the given effects that no toleration covers: why a Pod may not be there. */
export function findUntoleratedTaint<T extends AnyTaint>(
  taints: readonly T[] | undefined,
  tolerations: readonly AnyToleration[] | undefined,
  effects: readonly TaintEffect[],
): T | undefined {
  return taints?.find(
    (taint) =>
      (effects as readonly string[]).includes(taint.effect) && !tolerations?.some((toleration) => toleratesTaint(toleration, taint)),
  );
}

/**
 * How long a Pod may stay beside NoExecute taints: undefined for ever, 0 not at all, else seconds (the least of the
 * tolerations that are used).
 */
export function tolerationSeconds(
  taints: readonly DeepReadonly<Taint>[] | undefined,
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
): number | undefined {
  let least: number | undefined;
  for (const taint of taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const used = tolerations?.filter((toleration) => toleratesTaint(toleration, taint)) ?? [];
    if (used.length === 0) return 0;
    for (const { tolerationSeconds: seconds } of used) {
      if (seconds !== undefined) least = Math.max(0, Math.min(least ?? seconds, seconds));
    }
  }
  return least;
}

/** `key=value:effect`, `key:effect`: how messages and `kubectl taint` write a taint. */
export function formatTaint(taint: DeepReadonly<Taint>): string {
  if (!taint.effect) return taint.value ? `${taint.key}=${taint.value}:` : taint.key;
  return taint.value ? `${taint.key}=${taint.value}:${taint.effect}` : `${taint.key}:${taint.effect}`;
}
