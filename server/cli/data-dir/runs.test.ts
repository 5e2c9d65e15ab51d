import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findInstance, openDataDir, writeInstance, type DataDir } from './data-dir.ts';
import { findProcessIdentity, findStartTicks, isSameProcess } from './process-identity.ts';
import { beginRun, findRuns } from './runs.ts';

describe('a data directory', () => {
  for (const directory of ['/proc/x', '/proc/x/y', '/dev/null/x'])
    it(`that cannot be made is refused: ${directory}`, () =>
      assert.throws(
        () => openDataDir(directory),
        /^Error: the data directory cannot be made \(.*\/(x|null)'.*choose another with --data-dir$/,
      ));
});

describe('processes that run on a data dir', () => {
  let directory: string;
  let dataDir: DataDir;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-runs-'));
    dataDir = openDataDir(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const note = (name: string, run: object) => {
    mkdirSync(path.join(directory, 'run'), { recursive: true });
    writeFileSync(path.join(directory, 'run', `${name}.json`), JSON.stringify(run));
  };

  it('are found while they live', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const run = { command: 'agent', pid: child.pid ?? 0, identity: findProcessIdentity(child.pid ?? 0), startedAt: '2026-01-01T00:00:00Z' };
    note('agent', run);
    assert.deepEqual(findRuns(dataDir), [run]);
    child.kill();
    await once(child, 'close');
    assert.deepEqual(findRuns(dataDir), []);
  });

  it('are not taken for others that have got their pid after a boot', () => {
    const pid = process.pid;
    note('up', { command: 'up', pid, identity: 'another-boot/77', startedAt: '' });
    assert.deepEqual(findRuns(dataDir), []);
    beginRun(dataDir, 'agent', new Date(0));
    assert.deepEqual(
      findRuns(dataDir).map(({ command, startedAt }) => [command, startedAt]),
      [['agent', '1970-01-01T00:00:00.000Z']],
    );
    writeInstance(directory, { pid, server: 'https://127.0.0.1:1', kubeconfig: 'k' });
    assert.equal(findInstance(directory)?.pid, pid);
    writeFileSync(path.join(directory, 'instance.json'), JSON.stringify({ pid, identity: 'another-boot/77', server: '', kubeconfig: '' }));
    assert.equal(findInstance(directory), undefined);
    for (const note of ['', '{"pid": 12', 'null', '[]', '{"pid":"1"}', `{"pid":${process.pid}}`, '\0\0\0']) {
      writeFileSync(path.join(directory, 'instance.json'), note);
      assert.equal(findInstance(directory), undefined, note);
    }
  });

  it('exclude each other where they do the same', () => {
    const parent = process.ppid;
    const identity = findProcessIdentity(parent);
    note('server', { command: 'server', pid: parent, identity, startedAt: '' });
    assert.throws(() => beginRun(dataDir, 'up', new Date(0)), /'kubets server' is running on .* already \(process \d+\); stop it first/);
    beginRun(dataDir, 'agent', new Date(0));
  });

  it('have an identity of boot and start', () => {
    assert.match(findProcessIdentity(process.pid) ?? '', /^[0-9a-f-]{36}\/\d+$/);
    assert.equal(findProcessIdentity(0), undefined);
    assert.equal(isSameProcess({ pid: process.pid }), true);
    const stat = (state: string) => `42 (a) b (c) ${state} 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 100`;
    assert.equal(findStartTicks(stat('S')), 4711);
    assert.equal(findStartTicks(stat('Z')), undefined);
  });
});
