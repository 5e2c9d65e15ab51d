/**
 * The number of nodes up to which kubelets may cache Secrets and ConfigMaps for so long. The steps overlap, so that one node more or less
 * does not switch between two of them.
 */
const steps: readonly { readonly from: number; readonly to: number; readonly seconds: number }[] = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: 10_000, seconds: 300 },
  { from: 9000, to: Number.POSITIVE_INFINITY, seconds: 600 },
];

/** The step for a cluster of `count` nodes that was on `step` before. */
export function nextStep(count: number, step: number): number {
  let next = step;
  while (next < steps.length - 1 && count > (steps[next]?.to ?? 0)) next++;
  while (next > 0 && count < (steps[next]?.from ?? 0)) next--;
  return next;
}

export function secondsOfStep(step: number): number {
  return steps[step]?.seconds ?? 0;
}
