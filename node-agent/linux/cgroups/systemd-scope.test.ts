import assert from 'node:assert/strict';
import { findUnit, scopeArguments } from './systemd-scope.ts';

describe('units of systemd', () => {
  for (const [name, cgroups, unit] of [
    ['a service, version 2', '0::/system.slice/kubets.service\n', 'kubets.service'],
    ['a scope of a session', '0::/user.slice/user-0.slice/session-4.scope\n', 'session-4.scope'],
    ['a cgroup below a service', '0::/system.slice/kubets.service/inner\n', 'kubets.service'],
    ['version 1', '2:cpu:/x.service\n1:name=systemd:/system.slice/kubets.service\n0::/\n', 'kubets.service'],
    ['no unit', '0::/kubepods/besteffort/pod1\n', undefined],
    ['nothing', '', undefined],
  ] as const)
    it(`are found for a process: ${name}`, () => assert.equal(findUnit(cgroups), unit));

  it('are made of processes by a call of the service manager', () => {
    const args = scopeArguments('a.scope', [7, 8]);
    assert.deepEqual(args.slice(4, 8), ['StartTransientUnit', 'ssa(sv)a(sa(sv))', 'a.scope', 'fail']);
    assert.match(args.join(' '), / PIDs au 2 7 8 Delegate b true /);
    assert.equal(args.at(-1), '0');
  });
});
