import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checksOf } from './checks.ts';
import { describeChanges, type RunningContainer } from './containers.ts';
import { parseProcesses, processesOf } from './processes.ts';
import { cpuWeight } from './resources.ts';
import { findKilled } from './robustness.ts';
import { secondsOfShutdown } from './service.ts';
import { findDuplicateSeries } from './statistics.ts';

describe('machine checks: the written list', () => {
  it('names every file that defines a topic', () => {
    const list = readFileSync(path.join(import.meta.dirname, 'checks.ts'), 'utf8');
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        !file.endsWith('.test.ts') &&
        /: CheckTopic = /.test(readFileSync(path.join(import.meta.dirname, file), 'utf8')),
    );
    assert.ok(files.length > 5);
    assert.deepEqual(
      files.filter((file) => !list.includes(`'./${file}'`)),
      [],
    );
  });
  for (const [machines, variant] of [
    [1, 'stock'],
    [1, 'cloud'],
    [1, 'next'],
    [3, 'stock'],
  ] as const)
    it(`has no name twice: ${machines} of ${variant}`, () => {
      const names = checksOf({ machines, variant }).flatMap(({ topic, checks }) => checks.map(({ name }) => `${topic}: ${name}`));
      assert.equal(new Set(names).size, names.length);
    });
});

describe('machine checks: processes', () => {
  const processes = parseProcesses(
    [
      '1 0 0 /sbin/init',
      '10 1 0 npm run up',
      '11 10 0 node server/cli/bootstrap.mjs up',
      '12 11 -999 /root/kubets/node_modules/.bin/node --max-semi-space-size=16 /root/kubets/server/cli/kubets.mjs up',
      '13 12 -999 /n/node --import /root/kubets/server/cli/agent/agent-memory.ts /root/kubets/node-agent/main.ts --data-dir /var/lib/kubets',
      '14 13 -999 /usr/bin/containerd --config /var/lib/kubets/node/containerd/config.toml',
      '15 1 -998 /usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id a -address /var/lib/kubets/node/containerd.sock',
      '16 15 -998 /usr/bin/catatonit -P',
      '17 1 -999 /usr/bin/containerd',
      '',
    ].join('\n'),
  );
  for (const [part, pid] of [
    ['control plane', 12],
    ['agent', 13],
    ['containerd', 14],
    ['shim', 15],
    ['pause', 16],
  ] as const)
    it(`finds ${part} and nothing else`, () =>
      assert.deepEqual(
        processesOf(part, processes).map((found) => found.pid),
        [pid],
      ));
});

describe('machine checks: what was found', () => {
  it('series are told by name and labels, not by value or time', () =>
    assert.deepEqual(findDuplicateSeries('# TYPE a gauge\na{b="1"} 5 100\na{b="2"} 5\na{b="1"} 6\nc 1\nd 2\nc 3\n'), ['a{b="1"}', 'c']));

  it('a container that restarted, was replaced or is gone has changed', () => {
    const container = (name: string, containerID: string, restartCount = 0): RunningContainer => ({ name, containerID, restartCount });
    const before = [container('a', '1'), container('b', '2'), container('c', '3'), container('d', '4')];
    const after = [container('a', '1'), container('b', '5', 1), container('c', '6'), container('new', '7')];
    assert.equal(describeChanges(before, after), 'b restarted 1 times, c is another container, d is gone');
    assert.equal(describeChanges(before, before), '');
  });

  for (const [milliCPU, weight] of [
    [0, 1],
    [100, 4],
    [1500, 59],
    [2000, 79],
  ] as const)
    it(`${milliCPU}m has the weight ${weight}`, () => assert.equal(cpuWeight(milliCPU), weight));

  it('a shutdown takes from its word to the last line of the journal', () => {
    const journal =
      '100.5 n systemd[1]: Started.\n200.0 n systemd-logind[9]: System is rebooting.\n212.4 n systemd-journald[1]: Journal stopped\n';
    assert.equal(secondsOfShutdown(journal), '12');
    assert.equal(secondsOfShutdown('100.5 n systemd[1]: Started.\n'), 'unknown');
  });
});

describe('machine checks: containers that were killed', () => {
  const status = (restartCount: number, reason?: string) => ({
    ...{ name: `c${restartCount}`, restartCount },
    ...(reason === undefined ? {} : { lastState: { terminated: { reason } } }),
  });
  it('are those that ran, and not those that the runtime could not start', () => {
    assert.deepEqual(findKilled('p', [status(0), status(1, 'StartError')]), { killed: [], failedStarts: 1 });
    assert.equal(findKilled('p', [status(1, 'Error'), status(1), status(2, 'StartError')]).killed.length, 3);
  });
});
