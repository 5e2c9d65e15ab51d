import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createLogDestination, type WriteBytes } from './log-destination.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });
const describeDropped = (count: number) => `dropped ${count}\n`;

describe('the destination of log lines', () => {
  /** Answers in turn: a number of bytes, or an error; then takes all. */
  function scripted(...answers: readonly (number | string)[]) {
    const clock = createManualClock();
    let text = '';
    const left = [...answers];
    const write: WriteBytes = (bytes) => {
      const answer = left.shift() ?? bytes.length;
      if (typeof answer === 'string') throw failure(answer);
      text += bytes.subarray(0, answer).toString();
      return Math.min(answer, bytes.length);
    };
    return { clock, text: () => text, destination: createLogDestination({ write, clock, describeDropped, maxPendingBytes: 20 }) };
  }

  it('writes lines at once', () => {
    const { destination, text } = scripted();
    destination.write('a\n');
    destination.write('b\n');
    assert.equal(text(), 'a\nb\n');
  });

  for (const code of ['ENOSPC', 'EPIPE', 'EIO', 'EDQUOT', 'EBADF'])
    it(`drops a line that fails with ${code}, and tells so with the next that does not`, () => {
      const { destination, text, clock } = scripted(code, code, code);
      destination.write('a\n');
      destination.write('b\n');
      destination.write('c\n');
      assert.equal(clock.pendingTimers(), 0);
      assert.equal(text(), 'dropped 2\nc\n');
    });

  it('goes on with a line that was taken in parts', () => {
    const { destination, text } = scripted(1, 2);
    destination.write('line\n');
    assert.equal(text(), 'line\n');
  });

  it('begins a new line after one whose end was dropped', () => {
    const { destination, text } = scripted(2, 'ENOSPC');
    destination.write('line\n');
    destination.write('next\n');
    assert.equal(text(), 'li\ndropped 1\nnext\n');
  });

  it('holds lines back for a slow reader up to a limit, without waiting', async () => {
    const { destination, text, clock } = scripted('EAGAIN', 'EAGAIN');
    for (const line of ['first\n', 'second\n', 'third\n', 'fourth\n', 'fifth\n']) destination.write(line);
    assert.equal(text(), '');
    await clock.advance(100);
    assert.equal(text(), '');
    await clock.advance(100);
    assert.equal(text(), 'first\nsecond\nthird\n');
    destination.write('sixth\n');
    assert.equal(text(), 'first\nsecond\nthird\ndropped 2\nsixth\n');
  });

  it('makes one attempt at the end', () => {
    const { destination, text } = scripted('EAGAIN', 'EAGAIN');
    destination.write('a\n');
    destination.flush();
    assert.equal(text(), '');
    destination.flush();
    assert.equal(text(), 'a\n');
  });
});

/** Loggers of both programs, run as processes of their own: what they do to the event loop and to the end of a process. */
describe('the log of a process', function () {
  this.timeout(60_000);
  const logger = path.resolve(import.meta.dirname, '../../../server/control-plane/logger.ts');
  const code = (lines: number) =>
    `const { createLogger } = await import(${JSON.stringify(logger)});` +
    `const log = createLogger('info'); for (let i = 0; i < ${lines}; i++) log.warn('x'.repeat(200), { i });` +
    `await new Promise((resolve) => setTimeout(resolve, 200)); process.stdout.write('alive'); process.exit(7);`;
  const run = (lines: number, stderr: number | 'pipe'): ChildProcess =>
    spawn(process.execPath, ['--input-type=module', '-e', code(lines)], { stdio: ['ignore', 'pipe', stderr] });
  const outcome = (child: ChildProcess) =>
    new Promise<{ code: number | null; said: string }>((resolve) => {
      let said = '';
      const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.once('close', (code) => {
        clearTimeout(impatience);
        resolve({ code, said });
      });
    });
  const alive = { code: 7, said: 'alive' };

  it('neither ends nor keeps the process where its reader does not read', async () => {
    const child = run(10_000, 'pipe');
    child.stderr?.pause();
    const ended = outcome(child);
    // The pipe is never read: `close` comes when it is destroyed.
    child.once('exit', () => child.stderr?.destroy());
    assert.deepEqual(await ended, alive);
  });

  it('neither ends nor keeps the process whose reader has gone', async () => {
    const child = run(10_000, 'pipe');
    child.stderr?.destroy();
    assert.deepEqual(await outcome(child), alive);
  });

  describe('on a full disk', function () {
    let disk: string;
    before(async function () {
      if (process.getuid?.() !== 0) this.skip();
      disk = mkdtempSync(path.join(os.tmpdir(), 'kubets-full-disk-'));
      const mount = spawn('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
      if ((await new Promise((resolve) => mount.once('close', resolve))) !== 0) this.skip();
    });
    after(async () => {
      if (disk === undefined) return;
      await new Promise((resolve) => spawn('umount', [disk]).once('close', resolve));
      rmSync(disk, { recursive: true, force: true });
    });

    it('neither ends nor keeps the process, and the log goes on when there is room again', async () => {
      const file = path.join(disk, 'agent.log');
      const fill = path.join(disk, 'fill');
      writeFileSync(fill, '');
      const log = openSync(file, 'a');
      try {
        assert.deepEqual(await outcome(run(1000, log)), alive);
        assert.equal(statfsSync(disk).bavail, 0);
        writeFileSync(file, '');
        assert.deepEqual(await outcome(run(3, log)), alive);
        assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 3);
      } finally {
        closeSync(log);
      }
    });
  });
});
