import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { randomInt } from '../../../api/base/random.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { parseLogLine } from '../containers/log-line.ts';
import { findTail } from './log-tail.ts';

const time = '2026-01-01T00:00:01.5Z';

/** The same by its definition: all entries, counted from the end. */
function expectedTail(text: string, count: number): number {
  if (count <= 0) return text.length;
  const entries = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let position = text.length;
  let lines = 0;
  for (const [index, entry] of entries.toReversed().entries()) {
    const line = parseLogLine(entry.replace(/\n$/, ''));
    if (line && (!line.isPartial || index === 0)) lines++;
    if (lines > count) return position;
    position -= entry.length;
  }
  return 0;
}

describe('findTail', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(`${tmpdir()}/log-tail-`);
  });
  after(() => rm(directory, { recursive: true }));
  const withLog = async <T>(text: string, use: (find: (count: number, chunkBytes?: number) => Promise<number>) => Promise<T>) => {
    await writeFile(`${directory}/0.log`, text);
    const file = await createHostFiles().open(`${directory}/0.log`);
    try {
      return await use((count, chunkBytes) => findTail(file, count, chunkBytes));
    } finally {
      await file.close();
    }
  };

  it('finds what counting from the end finds, wherever pieces begin', async function () {
    this.timeout(1_200_000);
    const random = createSeededRandom(fuzzSeed());
    for (const _ of fuzzTurns('tails of logs', fuzzRuns(100, 5000))) {
      const entry = () =>
        [`${time} stdout F ${'x'.repeat(randomInt(random, 9))}`, `${time} stdout P part`, 'no entry', ''][randomInt(random, 4)] ?? '';
      const text = Array.from({ length: randomInt(random, 12) }, entry).join('\n') + (randomInt(random, 3) > 0 ? '\n' : '');
      await withLog(text, async (find) => {
        for (const count of [0, 1, 2, 3, 5, 1000]) {
          const chunkBytes = 1 + randomInt(random, 80);
          assert.equal(await find(count, chunkBytes), expectedTail(text, count), JSON.stringify({ text, count, chunkBytes }));
        }
      });
    }
  });

  it('takes no longer for any number of lines, and lets others have their turn', async function () {
    this.timeout(60_000);
    const entry = `${time} stdout F x\n`;
    // A newline is the first byte of a piece of 64 KiB in one of these.
    for (let shift = 0; shift < entry.length; shift += 7) {
      const text = entry.repeat(60_000) + `${time} stdout F ${'y'.repeat(shift)}\n`;
      await withLog(text, async (find) => {
        for (const count of [200_000_000, Number.MAX_SAFE_INTEGER]) assert.equal(await find(count), 0);
        assert.equal(await find(50_000), entry.length * 10_001);
      });
    }
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await withLog(entry.repeat(200_000), async (find) => assert.equal(await find(10_000_000), 0));
    clearInterval(timer);
    assert.equal(turns > 10, true, `${turns} turns`);
  });
});
