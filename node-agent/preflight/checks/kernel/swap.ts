import { type Check, error, ok, warning } from '../../check.ts';

/** Swap, which kubelets refuse by default, and which kubets' nodes keep from Pods unless configured otherwise. */
export const swap: Check = {
  name: 'Swap',
  run({ swaps, cgroups }, { failSwapOn }) {
    const { name } = swap;
    if (swaps.length === 0) return [ok(name, 'none')];
    const devices = swaps.map((line) => line.split(/\s+/)[0] ?? '').join(', ');
    const remedy = 'swapoff -a, and take it out of /etc/fstab';
    if (failSwapOn)
      return [
        error(
          name,
          `running with swap on is not supported, as --fail-swap-on says: ${devices}`,
          `${remedy}; or --kubelet-arg fail-swap-on=false`,
        ),
      ];
    if (cgroups.version !== 2)
      return [warning(name, `swap is on (${devices}), and control groups of version 1 do not keep Pods from it`, remedy)];
    return [ok(name, `${devices}; containers use it as --memory-swap-behavior says`)];
  },
};
