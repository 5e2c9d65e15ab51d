import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import { parseUnsafeSysctls, refuseSysctls } from './refuse-sysctls.ts';

describe('sysctls', () => {
  const pod = (name: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [], securityContext: { sysctls: [{ name, value: '1' }] }, ...more },
  });
  const cases: [string, Pod, string[], string | undefined][] = [
    ['a safe one', pod('net.ipv4.tcp_syncookies'), [], undefined],
    ['with slashes', pod('net/ipv4/tcp_syncookies'), [], undefined],
    ['an unsafe one', pod('kernel.msgmax'), [], 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
    ['one that is allowed', pod('kernel.msgmax'), ['kernel.msg*'], undefined],
    ['one that is named', pod('kernel/msgmax'), ['kernel.msgmax'], undefined],
    ['another', pod('kernel.shmall'), ['kernel.msg*'], 'forbidden sysctl: "kernel.shmall" not allowlisted'],
    [
      'of the machine',
      pod('net.ipv4.tcp_syncookies', { hostNetwork: true }),
      [],
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
    ],
    [
      'of the machine',
      pod('kernel.shm_rmid_forced', { hostIPC: true }),
      [],
      'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
    ],
  ];
  for (const [name, one, allowed, expected] of cases) it(name, () => assert.equal(refuseSysctls(one, allowed)?.message, expected));

  it('that may be allowed stay within namespaces', () => {
    assert.deepEqual(parseUnsafeSysctls('kernel.msg*,net.core.somaxconn'), ['kernel.msg*', 'net.core.somaxconn']);
    assert.deepEqual(parseUnsafeSysctls(''), []);
    assert.throws(() => parseUnsafeSysctls('vm.swappiness'), /not known to be namespaced/);
    assert.throws(() => parseUnsafeSysctls('kernel.msg*x'), /must/);
  });
});
