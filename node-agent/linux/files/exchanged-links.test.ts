import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createHostFiles } from './host-files.ts';
import { openDirectory } from './open-directory.ts';
import { exchangeEntries } from './testing/exchange-entries.ts';

const pairs = 100;
const files = createHostFiles();

/** Root's work below a volume while a container exchanges directories and files of it with links to the node's own. */
describe('work in a volume whose names are exchanged meanwhile', function () {
  this.timeout(60_000);
  let top: string;
  let volume: string;
  let host: string;
  beforeEach(async () => {
    top = await mkdtemp(`${tmpdir()}/kubets-exchange-`);
    [volume, host] = [`${top}/volume`, `${top}/host`];
    await mkdir(volume);
    await mkdir(host);
    for (let index = 0; index < 40; index++) await writeFile(`${host}/secret${index}`, 'x', { mode: 0o600 });
    await chmod(host, 0o700);
  });
  afterEach(() => rm(top, { recursive: true, force: true }));

  const hostIsUntouched = async () => {
    assert.equal((await readdir(host)).length, 40);
    assert.equal((await stat(host)).mode & 0o7777, 0o700);
    for (const name of await readdir(host)) assert.equal((await stat(`${host}/${name}`)).mode & 0o7777, 0o600, name);
  };
  const whileExchanging = async (work: () => Promise<unknown>, isEnough: () => Promise<boolean> = async () => true) => {
    const exchange = await exchangeEntries(volume, pairs);
    try {
      const end = Date.now() + 600;
      while (Date.now() < end || !(await isEnough())) await work().catch(() => undefined); // what is exchanged in the middle of a walk may reject
    } finally {
      await exchange.stop();
    }
  };
  const fill = async () => {
    await mkdir(volume, { recursive: true });
    for (let index = 0; index < pairs; index++) {
      await mkdir(`${volume}/d${index}/deep`, { recursive: true });
      await writeFile(`${volume}/d${index}/deep/file`, '');
      await symlink(host, `${volume}/l${index}`).catch(() => undefined); // there since the last time
    }
  };

  it('removes nothing outside of it', async () => {
    for (let round = 0; round < 5; round++) {
      await files.remove(volume);
      await fill();
      const exchange = await exchangeEntries(volume, pairs);
      await files.remove(volume).catch(() => undefined);
      await exchange.stop();
    }
    await hostIsUntouched();
    await files.remove(volume);
    await assert.rejects(lstat(volume), { code: 'ENOENT' });
  });

  it('changes mode and group of nothing outside of it', async () => {
    for (let index = 0; index < pairs; index++) {
      await writeFile(`${volume}/d${index}`, '', { mode: 0o666 });
      await chmod(`${volume}/d${index}`, 0o4777);
      await symlink(index % 2 === 0 ? `${host}/secret0` : host, `${volume}/l${index}`);
    }
    await whileExchanging(() => files.setGroupRecursively(volume, process.getgid?.() ?? 0));
    await hostIsUntouched();
  });

  it('makes no directory outside of it', async () => {
    await fill();
    let index = 0;
    await whileExchanging(
      () => files.makeDirectoryInside(volume, `d${index++ % pairs}/new${index}/x`, { mode: 0o777 }),
      // Beside the 40 files of the host and the directory that was there: one that was made within the volume.
      async () => (await readdir(`${volume}/d0`)).length + (await readdir(`${volume}/l0`)).length > 41,
    );
    await hostIsUntouched();
  });

  it('writes, renames and removes nothing outside of it through a directory that is held', async () => {
    await fill();
    let index = 0;
    await whileExchanging(async () => {
      const held = await openDirectory(volume);
      try {
        await held.writeNew(`d${index++ % pairs}/written${index}`, new Uint8Array(1), { mode: 0o777 });
        await held.remove(`d${index % pairs}`);
        await held.makeDirectory(`d${index % pairs}/deep`, { mode: 0o777 });
      } finally {
        await held.close();
      }
    });
    await hostIsUntouched();
  });

  it('measures nothing outside of it', async () => {
    for (let index = 0; index < pairs; index++) {
      await mkdir(`${volume}/d${index}`);
      await symlink(host, `${volume}/l${index}`);
    }
    let most = 0;
    await whileExchanging(async () => {
      most = Math.max(most, (await files.diskUsage(volume))?.inodes ?? 0);
    });
    // An entry may be met under both of its names, but what lies in the other directory is never met.
    assert.equal(most > 0 && most <= 1 + 2 * pairs, true, String(most));
  });
});

describe('trees that containers make to be in the way', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(async () => {
    top = await mkdtemp(`${tmpdir()}/kubets-tree-`);
  });
  afterEach(() => files.remove(top));

  /** By relative steps, so that the length of a path is no limit. */
  const nest = async (depth: number) => {
    const { runProgram } = await import('../processes/run-program.ts');
    const program =
      'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(int(sys.argv[2])):\n os.mkdir("a"*50); os.chdir("a"*50)\nopen("f","w").write("x"*9000)';
    await runProgram('python3', ['-c', program, top, String(depth)]);
  };

  it('are measured and removed however deep they are', async () => {
    await nest(1000);
    const usage = await files.diskUsage(top);
    assert.equal(usage?.inodes, 1002);
    await files.remove(top);
    await assert.rejects(lstat(top), { code: 'ENOENT' });
  });

  it('are refused to a group where each level takes a descriptor', async () => {
    await nest(600);
    await assert.rejects(files.setGroupRecursively(top, process.getgid?.() ?? 0), /nested more than 512 deep/);
  });

  it('count under names that are no text', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe])]), 'x'.repeat(9000));
    assert.equal((await files.diskUsage(top))?.inodes, 2);
  });

  it('keep the bits of programs and give directories that of groups', async () => {
    await mkdir(`${top}/d`, { mode: 0o700 });
    await writeFile(`${top}/program`, '');
    await chmod(`${top}/program`, 0o4755);
    await files.setGroupRecursively(top, process.getgid?.() ?? 0);
    assert.equal((await stat(`${top}/program`)).mode & 0o7777, 0o4775);
    assert.equal((await stat(`${top}/d`)).mode & 0o7777, 0o2770);
  });
});
