import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { takeToken, withoutSecrets } from './hide-secrets.mjs';

describe('secrets on the command line', () => {
  for (const [argv, shown] of [
    [['agent', '--token', 'abcdef.0123456789abcdef', '--server', 'x'], 'agent --token *** --server x'],
    [['agent', '--token=abcdef.0123456789abcdef'], 'agent --token=***'],
    [['token', 'delete', 'abcdef', '--token-file', 'f'], 'token delete abcdef --token-file f'],
    [['agent', '--token'], 'agent --token'],
  ] as const)
    it(`are shown as ${shown}`, () => assert.equal(withoutSecrets(argv).join(' '), shown));

  it('are handed to a child apart from the rest', () => {
    assert.deepEqual(takeToken(['a', '--token', 't', 'b']), { kept: ['a', 'b'], token: 't' });
    assert.deepEqual(takeToken(['--token=t', 'b']), { kept: ['b'], token: 't' });
    assert.deepEqual(takeToken(['b']), { kept: ['b'], token: undefined });
  });

  it('cannot be read in /proc', async () => {
    const module = path.join(import.meta.dirname, 'hide-secrets.mjs');
    const script = `import(${JSON.stringify(module)}).then(({ hideSecrets }) => { hideSecrets(process.argv); console.log('hidden'); setInterval(() => {}, 1000); })`;
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-secrets-'));
    const program = path.join(directory, 'node');
    symlinkSync(process.execPath, program);
    const child = spawn(program, [
      '--max-semi-space-size=16',
      '-e',
      script,
      'agent',
      '--token',
      'abcdef.0123456789abcdef',
      '--server',
      'https://192.0.2.1:6443',
    ]);
    try {
      await once(child.stdout, 'data');
      const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
      assert.doesNotMatch(commandLine, /abcdef|0123456789/);
      assert.ok(commandLine.startsWith(`${program} --max-semi-space-size=16 -e `), commandLine);
      assert.match(commandLine, /agent --token \*\*\* --server https:\/\/192\.0\.2\.1:6443/);
    } finally {
      child.kill();
      rmSync(directory, { recursive: true });
    }
  });
});
