import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { type FileContent, followFiles, readFiles } from './follow-files.ts';

const text = (content: FileContent) => (content === undefined ? undefined : Buffer.from(content).toString());

describe('followFiles', function () {
  this.timeout(60_000);
  let folder: string;
  let stop: AbortController;
  let following: Promise<void> | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'follow-files-'));
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await following;
    following = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  /** Follows, and gives a function that resolves with the next contents that are applied. */
  const follow = async (files: readonly string[], apply: (contents: readonly FileContent[]) => void = () => {}) => {
    const seen: (string | undefined)[][] = [];
    const failures: unknown[] = [];
    let wake = () => {};
    following = followFiles(
      files,
      {
        clock: systemClock,
        logger: silentLogger,
        what: 'test',
        known: await readFiles(files),
        apply(contents) {
          apply(contents);
          seen.push(contents.map(text));
          wake();
        },
        onFailure(error) {
          failures.push(error);
          wake();
        },
      },
      stop.signal,
    );
    const next = async () => {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      return seen.at(-1);
    };
    return { next, seen, failures };
  };

  it('applies a file that is written, replaced by a rename, or by the link of a ConfigMap volume', async () => {
    await mkdir(path.join(folder, 'v1'));
    await mkdir(path.join(folder, 'v2'));
    await writeFile(path.join(folder, 'v1', 'c'), 'one');
    await writeFile(path.join(folder, 'v2', 'c'), 'four');
    await symlink('v1', path.join(folder, '..data'));
    const linked = path.join(folder, 'c');
    await symlink('..data/c', linked);
    const plain = path.join(folder, 'plain');
    await writeFile(plain, 'a');
    const { next } = await follow([linked, plain]);
    let waiting = next();
    await writeFile(plain, 'b');
    assert.deepEqual(await waiting, ['one', 'b']);
    waiting = next();
    await writeFile(path.join(folder, 'other'), 'c');
    await rename(path.join(folder, 'other'), plain);
    assert.deepEqual(await waiting, ['one', 'c']);
    waiting = next();
    await symlink('v2', path.join(folder, '..tmp'));
    await rename(path.join(folder, '..tmp'), path.join(folder, '..data'));
    assert.deepEqual(await waiting, ['four', 'c']);
    waiting = next();
    await unlink(plain);
    assert.deepEqual(await waiting, ['four', undefined]);
  });

  it('asks again for what could not be applied, and not for what is as it was', async () => {
    const file = path.join(folder, 'f');
    await writeFile(file, 'good');
    const { next, seen, failures } = await follow([file], ([content]) => {
      if (text(content) === 'bad') throw new Error('no');
    });
    let waiting = next();
    await writeFile(file, 'bad');
    await waiting;
    assert.deepEqual([seen, failures.length], [[], 1]);
    waiting = next();
    await writeFile(path.join(folder, 'neighbour'), '');
    await waiting;
    assert.equal(failures.length, 2, 'the same bad content is a failure again');
    waiting = next();
    await writeFile(file, 'good');
    await writeFile(path.join(folder, 'neighbour'), 'x');
    const nothing = await Promise.race([waiting.then(() => 'applied'), new Promise((resolve) => setTimeout(resolve, 1500, 'nothing'))]);
    assert.equal(nothing, 'nothing', 'what is in use already is not applied');
  });

  it('looks every minute where the kernel reports nothing, and looks at busy folders twice a second at most', async () => {
    const clock = createManualClock();
    const file = path.join(folder, 'absent', 'f');
    let looks = 0;
    following = followFiles(
      [file],
      { clock, logger: silentLogger, what: 'test', known: [new Uint8Array([1])], apply: () => void looks++ },
      stop.signal,
    );
    await clock.advance(59_000);
    assert.equal(looks, 0);
    await clock.advance(2_000);
    while (looks === 0) await new Promise(setImmediate);
    assert.equal(looks, 1);
  });

  it('refuses a file without end', async () => {
    await assert.rejects(readFiles(['/dev/zero']), /larger than/);
  });
});
