import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { unfitMachineStatus } from '../startup/unfit-machine.ts';
import { findDataDirectory, quoteArgument, quoteWord, renderUnit, type ServicePlan } from './unit-file.ts';

const plan: ServicePlan = {
  name: 'kubets',
  description: 'a cluster',
  command: ['/usr/bin/node', 'kubets.mjs', 'up', '--data-dir', '/var/lib/kubets'],
  dataDirectory: '/var/lib/kubets',
  hasNode: true,
  writablePaths: [],
  documentation: '/opt/kubets/docs/service.md',
};
const settings = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));

describe('units of systemd', () => {
  for (const [name, argument, quoted] of [
    ['a plain word', '--port=6443', '--port=6443'],
    ['nothing', '', '""'],
    ['blanks', '/a b/c', '"/a b/c"'],
    ['specifiers', 'memory.available<5%', '"memory.available<5%%"'],
    ['variables', '$HOME/${x}', '"$$HOME/$${x}"'],
    ['quotes and backslashes', 'a"b\\n\'c', '"a\\"b\\\\n\'c"'],
    ['what would end the command', ';', '";"'],
  ] as const)
    it(`hold arguments as they are: ${name}`, () => assert.equal(quoteArgument(argument), quoted));

  it('leave dollar signs alone where they mean nothing', () => assert.equal(quoteWord('/a $b'), '"/a $b"'));

  it('cannot hold lines', () => assert.throws(() => quoteArgument('a\nExecStart=evil'), /has a control character in it/));

  it('never give a node a mount namespace, nor anything that containers would inherit', () => {
    const text = renderUnit(plan);
    const sandboxing =
      /^(Protect|Private|Restrict|ReadWrite|ReadOnly|Inaccessible|SystemCall|NoNewPrivileges|MemoryDeny|Lock|Temporary|Bind|Root|Capability)/m;
    assert.doesNotMatch(text, sandboxing);
    assert.deepEqual(settings(text, 'KillMode'), ['process']);
    assert.deepEqual(settings(text, 'Delegate'), ['yes']);
    assert.deepEqual(settings(text, 'OOMPolicy'), ['continue']);
  });

  it('keep from a control plane without a node what it does not need', () => {
    const text = renderUnit({ ...plan, hasNode: false, dataDirectory: '/srv/k 1', writablePaths: ['/srv/cache'] });
    assert.deepEqual(settings(text, 'NoNewPrivileges'), ['yes']);
    assert.deepEqual(settings(text, 'ProtectSystem'), ['strict']);
    assert.deepEqual(settings(text, 'ReadWritePaths'), ['"/srv/k 1" -/srv/cache']);
    assert.deepEqual(settings(text, 'PrivateTmp'), ['yes']);
    assert.deepEqual(settings(renderUnit({ ...plan, hasNode: false, dataDirectory: '/tmp/k' }), 'PrivateTmp'), []);
  });

  it('are not restarted for what the machine lacks, and are for all else', () => {
    const text = renderUnit(plan);
    assert.deepEqual(settings(text, 'Restart'), ['always']);
    assert.deepEqual(settings(text, 'RestartPreventExitStatus'), [String(unfitMachineStatus)]);
  });

  for (const directory of ['/var/lib/kubets', '/srv/a b', '/srv/100% "of" $it \\ all'])
    it(`say what data they are for: ${directory}`, () =>
      assert.equal(findDataDirectory(renderUnit({ ...plan, dataDirectory: directory })), directory));

  it('start whenever they can, and end before the network', () => {
    const text = renderUnit(plan);
    assert.deepEqual(settings(text, 'Type'), ['notify']);
    assert.deepEqual(settings(text, 'Restart'), ['always']);
    assert.deepEqual(settings(text, 'StartLimitIntervalSec'), ['0']);
    assert.match(settings(text, 'After')[0] ?? '', /^network-online\.target /);
    assert.deepEqual(settings(text, 'RequiresMountsFor'), ['/var/lib/kubets']);
  });

  it('run a program whose path has a dollar sign through another', () => {
    const [start] = settings(renderUnit({ ...plan, command: ['/opt/$x/node', 'a'] }), 'ExecStart');
    assert.equal(start, '/usr/bin/env "/opt/$$x/node" a');
  });

  it("are good to systemd's own checker", function () {
    this.timeout(60_000);
    if (!existsSync('/usr/bin/systemd-analyze')) this.skip();
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-units-'));
    try {
      const odd = { ...plan, command: [process.execPath, 'a b', '%n', '$PATH', '\\'], dataDirectory: '/srv/a b%"c' };
      for (const [name, one] of [
        ['kubets', plan],
        ['kubets-odd', odd],
        ['kubets-server', { ...odd, hasNode: false }],
      ] as const) {
        const file = path.join(directory, `${name}.service`);
        writeFileSync(file, renderUnit({ ...one, command: [process.execPath, ...one.command.slice(1)] }));
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
        const own = stderr.split('\n').filter((line) => line.includes(name));
        assert.deepEqual([status, own], [0, []]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
