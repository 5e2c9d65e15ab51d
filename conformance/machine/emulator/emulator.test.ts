import assert from 'node:assert/strict';
import { findComplaint } from './accelerator.ts';
import { frameReceivers } from './network-switch.ts';
import { qemuArguments, type QEMUOptions } from './qemu-arguments.ts';
import { patienceFor } from './slowness.ts';

const options: QEMUOptions = {
  accelerator: 'tcg',
  size: { processors: 2, memoryMiB: 4096 },
  kernel: '/i/vmlinuz',
  initrd: '/i/initrd',
  kernelParameters: ['systemd.hostname=node1'],
  disk: '/r/node1.qcow2',
  consoleLog: '/r/node1.console',
  controlSocket: '/r/node1.control',
  forwardedPorts: [
    { here: 2222, there: 22 },
    { here: 26443, there: 6443 },
  ],
};

const valuesOf = (args: readonly string[], flag: string): string[] => args.filter((_, index) => args[index - 1] === flag);

describe('emulator: arguments of QEMU', () => {
  it('one machine has one network, which reaches nothing but the forwarded ports', () => {
    const args = qemuArguments(options);
    assert.deepEqual(valuesOf(args, '-netdev'), [
      'user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:26443-:6443',
    ]);
    assert.deepEqual(valuesOf(args, '-smp'), ['2']);
    assert.match(valuesOf(args, '-append')[0] ?? '', /root=\/dev\/vda rw .*systemd\.hostname=node1/);
  });

  it('one of several machines has the network between them first: the first one is announced', () => {
    const devices = valuesOf(qemuArguments({ ...options, between: { index: 2, port: 5002, switchPort: 5000 } }), '-device');
    assert.deepEqual(
      devices.filter((device) => device.startsWith('virtio-net')).map((device) => device.split(',')[1]),
      ['netdev=between', 'netdev=management'],
    );
    assert.ok(devices.some((device) => device.includes('52:54:00:bb:00:02')));
  });

  it('KVM uses the processor and the kernel as they are, TCG what is quicker to emulate', () => {
    const kvm = qemuArguments({ ...options, accelerator: 'kvm' });
    assert.deepEqual(valuesOf(kvm, '-cpu'), ['host']);
    assert.doesNotMatch(valuesOf(kvm, '-append')[0] ?? '', /mitigations/);
    assert.match(valuesOf(qemuArguments(options), '-append')[0] ?? '', /mitigations=off/);
  });
});

describe('emulator: the network between machines', () => {
  const ports = [1, 2, 3];
  it('brings a frame to all but its sender', () => assert.deepEqual(frameReceivers(ports, new Set(), 2), [1, 3]));
  it('neither takes from nor brings to a machine whose cable is pulled', () => {
    assert.deepEqual(frameReceivers(ports, new Set([2]), 2), []);
    assert.deepEqual(frameReceivers(ports, new Set([2]), 1), [3]);
  });
  it('takes no frame of a port that is not of a machine', () => assert.deepEqual(frameReceivers(ports, new Set(), 9), []));
});

describe('emulator: patience', () => {
  for (const [slowness, patience] of [
    [1, 1],
    [4, 1],
    [12, 3],
    [100, 6],
  ] as const)
    it(`a machine that is ${slowness} times as slow has ${patience} times the time`, () => assert.equal(patienceFor(slowness), patience));
});

describe('emulator: why KVM is not used', () => {
  it('is told by the line of the failure, not by the registers after it', () =>
    assert.equal(
      findComplaint('[0.0] Linux version 6\nKVM internal error. Suberror: 1\nCode=05 83 fa\n'),
      'KVM internal error. Suberror: 1',
    ));
  it('is the last line where none complains', () => assert.equal(findComplaint('a\nb\n\n'), 'b'));
  it('is nothing where nothing was said', () => assert.equal(findComplaint(''), 'nothing'));
});
