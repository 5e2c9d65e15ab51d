import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { applyKernelTunables, kernelTunables } from './kernel-tunables.ts';

/** The settings as Debian's kernel starts with them. */
const debian: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '0',
  'vm/panic_on_oom': '0',
  'kernel/panic': '0',
  'kernel/panic_on_oops': '0',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

function kernelOf(settings: Readonly<Record<string, string>>, isReadOnly = false) {
  const files = new Map(Object.entries(settings).map(([file, value]) => [`/proc/sys/${file}`, `${value}\n`]));
  const writes: string[] = [];
  const warnings: string[] = [];
  const kernel = {
    read: async (file: string) => files.get(file),
    async write(file: string, value: string) {
      if (isReadOnly) throw new Error('EROFS: read-only file system');
      writes.push(`${file.replace('/proc/sys/', '')}=${value}`);
    },
  };
  const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  return { writes, warnings, apply: (protect: boolean) => applyKernelTunables(protect, { kernel, logger }) };
}

describe('tunables of the kernel', () => {
  it('are made as a kubelet has them, and those that are right are left alone', async () => {
    const { apply, writes } = kernelOf(debian);
    await apply(false);
    assert.deepEqual(writes, ['vm/overcommit_memory=1', 'kernel/panic=10', 'kernel/panic_on_oops=1']);
  });

  it('keep an agent from starting where they are protected and differ', async () => {
    const { apply, writes } = kernelOf(debian);
    await assert.rejects(
      apply(true),
      /invalid kernel flag: vm\/overcommit_memory, expected value: 1, actual value: 0; .*kernel\/panic_on_oops/,
    );
    assert.deepEqual(writes, []);
  });

  it('are no obstacle where they are protected and right', async () => {
    const right = Object.fromEntries(kernelTunables.map(({ file, value }) => [file, String(value)]));
    await kernelOf(right).apply(true);
  });

  it('are warned of where they cannot be made', async () => {
    const { apply, warnings } = kernelOf(debian, true);
    await apply(false);
    assert.equal(warnings.length, 3);
  });

  it('may be missing in a kernel', async () => {
    const { 'kernel/keys/root_maxkeys': _keys, ...rest } = debian;
    const { apply, warnings } = kernelOf(rest);
    await apply(false);
    assert.deepEqual(warnings, ['the kernel has no such setting']);
  });
});
