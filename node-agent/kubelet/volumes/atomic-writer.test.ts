import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { writeAtomically } from './atomic-writer.ts';

describe('writeAtomically', () => {
  let directory = '';
  before(async () => {
    directory = `${await mkdtemp(`${tmpdir()}/atomic-writer-`)}/volume`;
  });
  after(() => rm(directory, { recursive: true }));
  let count = 0;
  const write = (content: Record<string, string>, mode = 0o644) => {
    const payload = new Map(Object.entries(content).map(([path, text]) => [path, { content: new TextEncoder().encode(text), mode }]));
    return writeAtomically(createHostFiles(), directory, payload, { unique: String(++count) });
  };
  const visible = async () => (await readdir(directory)).filter((name) => !name.startsWith('..')).sort();

  it('shows files through links that change together', async () => {
    assert.equal(await write({ a: '1', 'deep/er/b': '2' }), true);
    assert.deepEqual(await visible(), ['a', 'deep']);
    assert.equal(await readlink(`${directory}/a`), '..data/a');
    assert.equal(await readFile(`${directory}/deep/er/b`, 'utf8'), '2');
    assert.equal((await lstat(`${directory}/..data`)).isSymbolicLink(), true);
  });

  it('does nothing when nothing differs', async () => {
    const before = await readlink(`${directory}/..data`);
    assert.equal(await write({ a: '1', 'deep/er/b': '2' }), false);
    assert.equal(await readlink(`${directory}/..data`), before);
  });

  it('replaces content, adds and takes away', async () => {
    assert.equal(await write({ a: 'new', c: '3' }), true);
    assert.deepEqual(await visible(), ['a', 'c']);
    assert.equal(await readFile(`${directory}/a`, 'utf8'), 'new');
    assert.equal((await readdir(directory)).filter((name) => /^\.\.\d/.test(name)).length, 1);
  });

  it('gives files their mode', async () => {
    await write({ a: 'new', c: '3' }, 0o400);
    await write({ a: 'newer', c: '3' }, 0o400);
    assert.equal((await stat(`${directory}/a`)).mode & 0o777, 0o400);
  });

  it('gives the group that the Pod asks for all of it, top included', async () => {
    const payload = new Map([['own/a', { content: new TextEncoder().encode('1'), mode: 0o400 }]]);
    const gid = process.getgid?.() ?? 0;
    await writeAtomically(createHostFiles(), directory, payload, { unique: 'abc', fsGroup: gid });
    for (const name of ['', '/own']) assert.equal((await stat(`${directory}${name}`)).mode & 0o2050, 0o2050, name);
    assert.equal((await stat(`${directory}/own/a`)).mode & 0o777, 0o440);
  });

  it('removes and reads nothing that a link of a container points to', async () => {
    const host = `${directory}-host`;
    await mkdir(host);
    await writeFile(`${host}/a`, 'new');
    for (const link of [`../${host.slice(host.lastIndexOf('/') + 1)}`, host, '..', '.', '../..', '..a/../../volume-host']) {
      await rm(`${directory}/..data`);
      await symlink(link, `${directory}/..data`);
      assert.equal(await write({ a: 'new' }), true, link);
      assert.match(await readlink(`${directory}/..data`), /^\.\.[0-9a-f]+$/);
      assert.equal(await readFile(`${host}/a`, 'utf8'), 'new');
    }
    // A link in place of the folder that is taken away.
    const current = await readlink(`${directory}/..data`);
    await rename(`${directory}/${current}`, `${directory}/..moved`);
    await symlink(host, `${directory}/${current}`);
    assert.equal(await write({ a: 'newer' }), true);
    assert.deepEqual([await readFile(`${host}/a`, 'utf8'), (await lstat(host)).isDirectory()], ['new', true]);
  });

  it('replaces what is no link', async () => {
    await rm(`${directory}/..data`);
    await mkdir(`${directory}/..data/x`, { recursive: true });
    assert.equal(await write({ a: 'again' }), true);
    assert.equal(await readFile(`${directory}/a`, 'utf8'), 'again');
  });
});
