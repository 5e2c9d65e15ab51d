import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { PKIChange } from '../pki/pki-files.ts';
import { createPKIFiles } from './pki-files.ts';

const before = { 'ca.crt': 'old certificate', 'ca.key': 'old key', 'rotation.json': 'old note' };
const changes: readonly PKIChange[] = [
  { path: 'ca.crt', text: 'new certificate', secret: false },
  { path: 'ca.key', text: 'new key', secret: true },
  { path: 'other.key', text: 'another key', secret: true },
  { path: 'rotation.json', secret: false },
];
const after = { 'ca.crt': 'new certificate', 'ca.key': 'new key', 'other.key': 'another key' };

describe('files of keys and certificates', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-pki-'));
    for (const [name, text] of Object.entries(before)) writeFileSync(path.join(directory, name), text);
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const all = async () => Object.fromEntries(await createPKIFiles(directory).readAll());
  const stepsOf = async () => {
    const steps: string[] = [];
    await createPKIFiles(directory, { onStep: (step) => void steps.push(step) }).commit(changes);
    return steps;
  };

  it('change together, keys readable by their owner only, and nothing else is left', async () => {
    await stepsOf();
    assert.deepEqual(await all(), after);
    assert.deepEqual(
      readdirSync(directory)
        .filter((name) => !name.startsWith('lock'))
        .sort(),
      ['ca.crt', 'ca.key', 'other.key'],
    );
    for (const name of ['ca.key', 'lock', 'lock.pid']) assert.equal(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(path.join(directory, 'ca.crt')).mode & 0o777, 0o644);
  });

  it('are as before or as after for who reads them, wherever SIGKILL ends the process, and are completed by the next change', async function () {
    this.timeout(120_000);
    const steps = await stepsOf();
    assert.ok(steps.length >= 9, steps.join());
    const seen = new Set<string>();
    for (const [index, step] of steps.entries()) {
      rmSync(directory, { recursive: true });
      directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-pki-'));
      for (const [name, text] of Object.entries(before)) writeFileSync(path.join(directory, name), text);
      await killAt(directory, index);
      const found = await all();
      const isDecided = index > steps.indexOf('decide');
      assert.deepEqual(found, isDecided ? after : before, step);
      seen.add(JSON.stringify(found));
      await createPKIFiles(directory).commit([{ path: 'sa.pub', text: 'public', secret: false }]);
      assert.deepEqual(await all(), { ...(isDecided ? after : before), 'sa.pub': 'public' });
      assert.ok(!existsSync(path.join(directory, '.commit.json')));
      assert.equal(readFileSync(path.join(directory, 'ca.crt'), 'utf8'), found['ca.crt']);
    }
    assert.equal(seen.size, 2);
  });

  it('stay as they are where a step before the decision fails, as on a full disk', async () => {
    for (const failing of ['write ca.key', 'write the journal']) {
      const onStep = (step: string) => {
        if (step === failing) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      };
      await assert.rejects(createPKIFiles(directory, { onStep }).commit(changes), /no space left/);
      assert.deepEqual(await all(), before);
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.endsWith('.new')),
        [],
      );
    }
  });

  it('are changed by one at a time, in this process and in others', async () => {
    const [mine, other] = [createPKIFiles(directory), createPKIFiles(directory, { patienceMs: 100 })];
    await mine.exclusively(async (held) => {
      await held.commit([{ path: 'a.crt', text: '1', secret: false }]);
      await assert.rejects(other.commit([{ path: 'a.crt', text: '2', secret: false }]), /in use by another process/);
    });
    await Promise.all(Array.from({ length: 5 }, (_, index) => mine.commit([{ path: 'a.crt', text: `${index}`, secret: false }])));
    assert.equal((await all())['a.crt'], '4');
  });
});

async function killAt(directory: string, step: number): Promise<void> {
  const program = `
    import { createPKIFiles } from ${JSON.stringify(path.join(import.meta.dirname, 'pki-files.ts'))};
    let step = 0;
    const onStep = () => { if (step++ === ${step}) process.kill(process.pid, 'SIGKILL'); };
    await createPKIFiles(${JSON.stringify(directory)}, { onStep }).commit(${JSON.stringify(changes)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
}
