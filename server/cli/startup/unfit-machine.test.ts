import assert from 'node:assert/strict';
import { checks } from '../../../node-agent/preflight/checks.ts';
import { areLasting } from './unfit-machine.ts';

describe('a machine that cannot be a node', () => {
  it('is given up where all errors last', () => {
    assert.equal(areLasting(['SystemVerification', 'FileExisting-nft', 'KernelModule-overlay', 'Cgroups', 'NFTables']), true);
  });

  for (const name of ['Port-10250', 'Clock', 'DataDirectory', 'CRI', 'Mem', 'Hostname', 'Swap'])
    it(`is tried again where ${name} may pass`, () => assert.equal(areLasting(['SystemVerification', name]), false));

  it('is tried again where nothing is wrong with it', () => assert.equal(areLasting([]), false));

  it('is judged by checks that there are', () => {
    for (const name of [
      'IsPrivilegedUser',
      'SystemVerification',
      'Cgroups',
      'NFTables',
      'KernelModules',
      'ProgramVersions',
      'FileExisting',
    ])
      assert.ok(
        checks.some((check) => check.name === name),
        name,
      );
  });
});
