import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, open as openFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { scanStore } from '../../control-plane/store/scan-store.ts';
import { bytes, rejectsWith } from '../testing/storage-assertions.ts';
import { openEmbeddedStorage } from './embedded-storage.ts';
import { readStoreHeader } from './store-header.ts';

describe('a damaged store', function () {
  this.timeout(60_000);
  const clock = createManualClock();
  let directory = '';
  let file = '';
  const open = (more: { addressSpaceBytes?: number } = {}) =>
    openEmbeddedStorage({ directory, clock, logger: silentLogger, processID: process.pid, scanStore, ...more });
  const pageBytes = 8192;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubets-damaged-'));
    file = join(directory, 'store.mdb');
    const storage = await open();
    for (let nth = 0; nth < 40; nth++)
      await storage.commit({
        conditions: [],
        operations: Array.from({ length: 25 }, (_, index) => ({
          type: 'put' as const,
          key: `/registry/pods/default/p-${nth}-${index}`,
          value: bytes(`{"metadata":{"name":"p-${nth}-${index}"},"noise":"${String(nth).repeat(300)}"}`),
        })),
      });
    await storage.close();
  });
  afterEach(() => rm(directory, { recursive: true }));

  const overwrite = async (page: number, content: Uint8Array) => {
    const handle = await openFile(file, 'r+');
    await handle.write(content, 0, content.length, page * pageBytes);
    await handle.close();
  };
  const noise = new Uint8Array(pageBytes).map((_, index) => (index * index * 31 + 7) % 251);

  for (const [title, damage, expected] of [
    ['cut in half', async () => truncate(file, Math.floor((await stat(file)).size / 2)), /it has \d+ bytes, of which there should be \d+/],
    ['cut to its first page', () => truncate(file, pageBytes), /its second page is not that of a store/],
    ['cut to nothing', () => truncate(file, 0), /it is missing or empty.* To begin with an empty store, remove/],
    ['gone', () => rm(file), /it is missing or empty/],
    ['with zeroes at its beginning', () => overwrite(0, new Uint8Array(2 * pageBytes)), /its first page is not that of a store/],
    ['with a second page of zeroes', () => overwrite(1, new Uint8Array(pageBytes)), /its second page is not that of a store/],
    ['with noise at its beginning', () => overwrite(0, noise), /its first page is not that of a store/],
    ['that is something else', () => writeFile(file, 'SQLite format 3'.repeat(2000)), /its first page is not that of a store/],
  ] as const)
    it(`says what is wrong, and what to do: ${title}`, async () => {
      await damage();
      const before = await readFile(file).catch(() => undefined);
      const error = await rejectsWith('corrupt', () => open());
      assert.match(error.message, expected);
      assert.match(error.message, /Nothing was changed\. Restore it from a backup of .*, or move .* away to begin with an empty store\./);
      assert.deepEqual(await readFile(file).catch(() => undefined), before);
    });

  it('says how much of it can be read', async () => {
    await truncate(file, Math.floor((await stat(file)).size / 2));
    const { message } = await rejectsWith('corrupt', () => open());
    assert.match(message, /Nothing in it can be read\.|\d+ versions of objects, the newest of revision \d+, could be read before\./);
  });

  it('is found at the second start where the first one ended without a word', async () => {
    const header = await readStoreHeader(file);
    assert.ok(header && typeof header === 'object');
    for (let page = 2; page < header.usedBytes / pageBytes; page++) await overwrite(page, noise);
    await writeFile(join(directory, 'store.opening'), '');
    const { message } = await rejectsWith('corrupt', () => open());
    assert.match(message, /pages within it are damaged \(.+\)\./);
  });

  it('is none where the last opening was cut short, or pages at the end were never written', async () => {
    await writeFile(join(directory, 'store.opening'), '');
    const storage = await open();
    assert.equal((await storage.range({ start: '/registry/', end: '/registry0' })).entries.length, 1000);
    await storage.close();
  });

  it('is begun anew in an empty directory, and in one whose first start was cut short', async () => {
    await rm(directory, { recursive: true });
    await (await open()).close();
    await rm(join(directory, 'store.created'));
    await truncate(file, 0);
    await (await open()).close();
  });

  it('is not taken for one by a process with little address space, which is told so', async () => {
    const storage = await open({ addressSpaceBytes: 4 * 1024 ** 3 });
    assert.equal((await storage.range({ start: '/registry/', end: '/registry0' })).entries.length, 1000);
    await storage.close();
    const { message } = await rejectsWith('unavailable', () => open({ addressSpaceBytes: 1024 ** 3 }));
    assert.match(message, /needs 2048 MiB of address space, and 1024 MiB are left to this process/);
  });

  it('is opened under `ulimit -v`', async () => {
    const root = join(import.meta.dirname, '../../..');
    const script = `
      import { openStorage } from '${root}/server/control-plane/store/open-storage.ts';
      import { systemClock } from '${root}/api/base/system-clock.ts';
      import { silentLogger } from '${root}/api/base/logger.ts';
      const storage = await openStorage({ choice: { kind: 'embedded' }, directory: ${JSON.stringify(directory)}, clock: systemClock, logger: silentLogger });
      console.log((await storage.range({ start: '/registry/', end: '/registry0' })).entries.length);
      process.exit(0);`;
    const program = join(directory, 'open.ts');
    await writeFile(program, script);
    const child = spawn('sh', ['-c', 'ulimit -v 20000000; exec "$0" "$1"', process.execPath, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [[code, signal], output] = await Promise.all([once(child, 'close'), text(child.stdout)]);
    assert.deepEqual([code, signal, output.trim()], [0, null, '1000']);
  });

  it('can be a copy of a good one', async () => {
    await copyFile(file, `${file}.copy`);
    await rm(file);
    await copyFile(`${file}.copy`, file);
    await (await open()).close();
  });
});
