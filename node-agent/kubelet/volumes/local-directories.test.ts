import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { findMountsShowing, parseMountTable } from '../../linux/mounts/mounts.ts';
import { nodePaths } from '../../node-paths.ts';
import { createLocalDirectories, VolumeInUseError } from './local-directories.ts';

describe('directories of local volumes', () => {
  let top: string;
  before(async () => {
    top = await mkdtemp(`${tmpdir()}/local-directories-`);
  });
  after(() => rm(top, { recursive: true }));

  it('are made, and removed once no Pod shows them', async () => {
    const paths = nodePaths(top);
    let table = '';
    const mounts = {
      showing: async (directory: string, within: string) => findMountsShowing(parseMountTable(table), directory, within),
    };
    const directories = createLocalDirectories({ files: createHostFiles(), mounts, paths });
    const path = await directories.make('data');
    await writeFile(`${path}/file`, 'x');
    const mounted = `${paths.pods}/uid/volumes/kubernetes.io~local-volume/pv`;
    table = `20 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 20 8:1 ${path} ${mounted} rw - ext4 /dev/sda1 rw\n`;
    await assert.rejects(directories.remove('data'), VolumeInUseError);
    assert.deepEqual(await readdir(path), ['file']);
    table = '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n';
    await directories.remove('data');
    await directories.remove('data');
    assert.deepEqual(await readdir(paths.localVolumes), []);
  });

  it('that a killed agent has moved away are removed when it is asked again', async () => {
    const paths = nodePaths(top);
    const directories = createLocalDirectories({ files: createHostFiles(), mounts: { showing: async () => [] }, paths });
    await directories.make('data');
    await createHostFiles().rename(`${paths.localVolumes}/data`, `${paths.localVolumes}/.removed-data`);
    await directories.remove('data');
    assert.deepEqual(await readdir(paths.localVolumes), []);
  });
});

describe('findMountsShowing', () => {
  const table = parseMountTable(
    [
      '20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw',
      '21 20 8:2 /sub /data rw - ext4 /dev/sdb1 rw',
      '30 20 8:2 /sub/volumes/a /pods/1/v/a rw - ext4 /dev/sdb1 rw',
      '31 20 8:2 /sub/volumes/a/deep /pods/2/subpaths/0 rw - ext4 /dev/sdb1 rw',
      '32 20 8:2 /sub/volumes/ab /pods/3/v/ab rw - ext4 /dev/sdb1 rw',
      '33 20 8:1 /sub/volumes/a /pods/4/v/other rw - ext4 /dev/sda1 rw',
      '34 20 8:2 /sub/volumes/with\\040blank /pods/5/v/b rw - ext4 /dev/sdb1 rw',
      '35 20 8:2 /sub/volumes/a /elsewhere rw - ext4 /dev/sdb1 rw',
    ].join('\n'),
  );
  const cases: [string, string[]][] = [
    ['/data/volumes/a', ['/pods/1/v/a', '/pods/2/subpaths/0']],
    ['/data/volumes/ab', ['/pods/3/v/ab']],
    ['/data/volumes/with blank', ['/pods/5/v/b']],
    ['/data/volumes/c', []],
    ['/sub/volumes/a', ['/pods/4/v/other']],
  ];
  for (const [directory, expected] of cases) it(directory, () => assert.deepEqual(findMountsShowing(table, directory, '/pods'), expected));
});
