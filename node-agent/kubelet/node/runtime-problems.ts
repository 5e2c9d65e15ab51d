import type { RuntimeCondition } from '../../cri/messages.ts';
import type { CgroupDriver } from '../../cri/runtime.ts';

/** What keeps a runtime that answers from running Pods, in the words of the Node's condition. */
export function runtimeProblems(conditions: readonly RuntimeCondition[], cgroupDriver: CgroupDriver | undefined): string[] {
  const unready = conditions.filter(({ type, status }) => !status && (type === 'RuntimeReady' || type === 'NetworkReady'));
  return [
    ...unready.map(({ type, reason, message }) => {
      const what = type === 'NetworkReady' ? 'container runtime network' : 'container runtime';
      return `${what} not ready: ${type}=false reason:${reason} message:${message}`;
    }),
    ...(cgroupDriver === 'SYSTEMD'
      ? ['container runtime not usable: its cgroup driver is systemd, and the node agent makes cgroups itself: set it to cgroupfs']
      : []),
  ];
}
