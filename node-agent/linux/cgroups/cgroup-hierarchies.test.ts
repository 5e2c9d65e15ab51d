import assert from 'node:assert/strict';
import { cgroupHierarchies, parseCgroupMounts } from './cgroup-hierarchies.ts';

const line = (point: string, type: string, options: string) => `30 24 0:26 / ${point} rw,nosuid - ${type} ${type} ${options}`;
const unified = line('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate');
const cpu = line('/sys/fs/cgroup/cpu', 'cgroup', 'rw,cpu,cpuacct');
const memory = line('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory');
const named = line('/sys/fs/cgroup/systemd', 'cgroup', 'rw,name=systemd');
const hybrid = line('/sys/fs/cgroup/unified', 'cgroup2', 'rw');
const classes = line('/run/vpn/net_cls', 'cgroup', 'rw,net_cls');
const other = '25 1 0:22 / /sys rw - sysfs sysfs rw';

describe('cgroup hierarchies', () => {
  const cases: [name: string, lines: string[], version: 1 | 2, roots: string[], memoryRoot: string | undefined][] = [
    ['version 2', [other, unified], 2, ['/sys/fs/cgroup'], '/sys/fs/cgroup'],
    ['version 2 with a hierarchy of version 1 that some program has mounted', [classes, unified], 2, ['/sys/fs/cgroup'], '/sys/fs/cgroup'],
    ['version 2 that is mounted twice', [line('/run/x', 'cgroup2', 'rw'), unified], 2, ['/sys/fs/cgroup'], '/sys/fs/cgroup'],
    ['version 2 elsewhere', [line('/cg', 'cgroup2', 'rw')], 2, ['/cg'], '/cg'],
    ['version 1', [cpu, memory], 1, ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/memory'], '/sys/fs/cgroup/memory'],
    [
      'both',
      [memory, named, hybrid],
      1,
      ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'],
      '/sys/fs/cgroup/memory',
    ],
    ['version 1 without memory', [cpu], 1, ['/sys/fs/cgroup/cpu'], undefined],
  ];
  for (const [name, lines, version, roots, memoryRoot] of cases) {
    it(name, () => {
      const found = cgroupHierarchies(parseCgroupMounts(lines.join('\n')));
      assert.deepEqual([found.version, found.roots, found.rootOf('memory')], [version, roots, memoryRoot]);
    });
  }
});
