import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { runProgram } from '../processes/run-program.ts';
import { writePatientRunc } from './patient-runc.ts';

const list = ['--root', '/runc', '--log-format', 'json', 'ps', '--format', 'json', 'c1'];

describe('a runc that tries again', function () {
  this.timeout(60_000);
  const programs = process.env['PATH'];
  let folder = '';
  let program = '';
  /** Puts a runc into PATH that says what is given at each of its calls, and at all further ones what is last. */
  const install = async (...answers: { readonly text: string; readonly status: number }[]) => {
    const cases = answers.map(({ text, status }, index) => {
      const pattern = index === answers.length - 1 ? '*' : String(index + 1);
      return `${pattern}) echo '${text}'; exit ${status} ;;`;
    });
    const count = `echo "$@" >>${folder}/calls; case $(wc -l <${folder}/calls) in`;
    await rm(`${folder}/calls`, { force: true });
    await writeFile(`${folder}/runc`, `#!/bin/sh\n${count}\n${cases.join('\n')}\nesac\n`);
    await chmod(`${folder}/runc`, 0o755);
  };
  const calls = async () => (await readFile(`${folder}/calls`, 'utf8')).trim().split('\n');

  beforeEach(async () => {
    folder = await mkdtemp(`${tmpdir()}/kubets-runc-`);
    process.env['PATH'] = `${folder}:${programs}`;
    program = (await writePatientRunc(folder)) ?? '';
  });
  afterEach(async () => {
    process.env['PATH'] = programs;
    await rm(folder, { recursive: true, force: true });
  });

  it('lists processes that could not be listed at first', async () => {
    await install({ text: 'no such device', status: 1 }, { text: 'no such device', status: 1 }, { text: '[7,8]', status: 0 });
    assert.equal((await runProgram(program, list)).trim(), '[7,8]');
    assert.deepEqual(
      await calls(),
      Array.from({ length: 3 }, () => list.join(' ')),
    );
  });

  it('says at once that a container does not exist', async () => {
    await install({ text: 'container does not exist', status: 1 });
    await assert.rejects(runProgram(program, list));
    assert.equal((await calls()).length, 1);
  });

  it('does not try for ever', async () => {
    await install({ text: 'no such device', status: 3 });
    await assert.rejects(runProgram(program, list));
    assert.equal((await calls()).length, 10);
  });

  it('leaves all other commands alone', async () => {
    await install({ text: 'failed', status: 1 });
    await assert.rejects(runProgram(program, ['--root', '/runc', 'create', '--bundle', '/a folder', 'c1']));
    assert.deepEqual(await calls(), ['--root /runc create --bundle /a folder c1']);
  });

  it('is none where programs cannot be run', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'noexec,size=64k', 'kubets-test', folder]);
    try {
      assert.equal(await writePatientRunc(folder), undefined);
    } finally {
      await runProgram('umount', [folder]);
    }
  });
});
