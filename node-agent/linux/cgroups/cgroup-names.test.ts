import assert from 'node:assert/strict';
import { type CgroupDriver, cgroupNames, isContainerCgroup, type PodClass } from './cgroup-names.ts';

describe('names of cgroups', () => {
  const cases: [driver: CgroupDriver, root: string, podClass: PodClass, ofClass: string, ofPod: string][] = [
    ['cgroupfs', '/kubepods', 'Guaranteed', '/kubepods', '/kubepods/poda-1'],
    ['cgroupfs', '/kubepods', 'Burstable', '/kubepods/burstable', '/kubepods/burstable/poda-1'],
    ['cgroupfs', '/n/kubepods', 'BestEffort', '/n/kubepods/besteffort', '/n/kubepods/besteffort/poda-1'],
    ['systemd', '/kubepods', 'Guaranteed', '/kubepods.slice', '/kubepods.slice/kubepods-poda_1.slice'],
    [
      ...(['systemd', '/kubepods', 'Burstable', '/kubepods.slice/kubepods-burstable.slice'] as const),
      '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_1.slice',
    ],
    [
      ...(['systemd', '/my-n/kubepods', 'BestEffort'] as const),
      '/my_n.slice/my_n-kubepods.slice/my_n-kubepods-besteffort.slice',
      '/my_n.slice/my_n-kubepods.slice/my_n-kubepods-besteffort.slice/my_n-kubepods-besteffort-poda_1.slice',
    ],
  ];
  for (const [driver, root, podClass, ofClass, ofPod] of cases) {
    it(`${driver} below ${root}, ${podClass}`, () => {
      const names = cgroupNames(driver, root);
      assert.deepEqual([names.ofClass(podClass), names.ofPod(podClass, 'a-1')], [ofClass, ofPod]);
      assert.ok(names.candidates('a-1').includes(ofPod));
    });
  }

  const children: [string, boolean][] = [
    ['c1', true],
    ['crio-c1', true],
    ['cri-containerd-c1.scope', true],
    ['c1.scope', true],
    ['c11', false],
    ['crio-conmon-c2', false],
    ['pause', false],
  ];
  for (const [name, expected] of children)
    it(`${name} is ${expected ? '' : 'not '}c1's`, () => assert.equal(isContainerCgroup(name, 'c1'), expected));
});
