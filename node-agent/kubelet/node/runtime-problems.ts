import type { RuntimeCondition } from '../../cri/messages.ts';
import type { CgroupDriver as RuntimeDriver } from '../../cri/runtime.ts';
import type { CgroupDriver } from '../../linux/cgroups/cgroup-names.ts';

/** Reasons why a runtime that answers cannot run Pods, in the words of the Node's condition. */
export function runtimeProblems(
  conditions: readonly RuntimeCondition[],
  ofRuntime: RuntimeDriver | undefined,
  own: CgroupDriver,
): string[] {
  const driver = ofRuntime?.toLowerCase();
  const unready = conditions.filter(({ type, status }) => !status && (type === 'RuntimeReady' || type === 'NetworkReady'));
  return [
    ...unready.map(({ type, reason, message }) => {
      const what = type === 'NetworkReady' ? 'container runtime network' : 'container runtime';
      return `${what} not ready: ${type}=false reason:${reason} message:${message}`;
    }),
    ...(driver === undefined || driver === own
      ? []
      : [`container runtime not usable: its cgroup driver is ${driver}, and the node agent's is ${own}: start the node agent again`]),
  ];
}
