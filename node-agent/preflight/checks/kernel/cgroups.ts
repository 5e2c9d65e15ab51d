import { advice, type Check, error, type Finding, ok } from '../../check.ts';

const needed = ['cpu', 'cpuset', 'memory', 'pids'];
/** Controllers of cgroup version 1 and 2 that a node can work without. */
const useful: Readonly<Record<1 | 2, readonly string[]>> = { 1: ['blkio', 'hugetlb'], 2: ['io', 'hugetlb'] };

/** Control groups with the controllers that limit Pods. */
export const cgroups: Check = {
  name: 'Cgroups',
  run({ cgroups: { version, controllers, isReadOnly }, container }) {
    const { name } = cgroups;
    if (version === undefined)
      return [error(name, 'no control groups are mounted', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup; systemd does it at boot')];
    if (isReadOnly)
      return [
        error(
          name,
          '/sys/fs/cgroup is read-only',
          `run it ${container === undefined ? 'on the machine itself' : 'in a privileged container'} with its control groups`,
        ),
      ];
    const missing = needed.filter((controller) => !controllers.includes(controller));
    const findings: Finding[] = missing.map((controller) =>
      error(
        `Cgroups-${controller}`,
        `control groups of version ${version} lack the controller ${controller}`,
        controller === 'memory'
          ? 'add cgroup_enable=memory cgroup_memory=1 to the kernel command line (Raspberry Pi: /boot/firmware/cmdline.txt) and restart'
          : 'take cgroup_disable= off the kernel command line, or run a kernel that has it, and restart',
      ),
    );
    const lacking = useful[version].filter((controller) => !controllers.includes(controller));
    if (lacking.length > 0)
      findings.push(
        advice(name, `control groups lack ${lacking.join(', ')}`, 'run a kernel that has them, if Pods are to be limited in it'),
      );
    if (version === 1)
      findings.push(
        advice(
          name,
          'control groups are of version 1, which Kubernetes no longer develops',
          'systemd.unified_cgroup_hierarchy=1 on the kernel command line',
        ),
      );
    return findings.length > 0 ? findings : [ok(name, `version 2: ${controllers.join(' ')}`)];
  },
};
