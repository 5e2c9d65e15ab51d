import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { agentMain, agentPIDFile, replaceRunningAgent } from './agent-process.ts';
import { openDataDir } from '../data-dir/data-dir.ts';

describe('an agent that was left running', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-agent-'));
  after(() => rmSync(directory, { recursive: true }));

  for (const [what, itsData, isKilled] of [
    ['is ended by the next start on its data directory', 'own', true],
    ['of another data directory is not, though it has the pid that was noted', 'own-2', false],
  ] as const)
    it(what, async () => {
      const dataDir = openDataDir(path.join(directory, 'own'));
      mkdirSync(dataDir.node, { recursive: true });
      const args = ['-e', "console.log('up'); setInterval(() => {}, 1000)", agentMain, '--data-dir', path.join(directory, itsData)];
      const child = spawn(process.execPath, args);
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      writeFileSync(agentPIDFile(dataDir), String(child.pid));
      await replaceRunningAgent(dataDir);
      assert.equal(existsSync(agentPIDFile(dataDir)), false);
      if (!isKilled) child.kill('SIGTERM');
      assert.deepEqual(await ended, [null, isKilled ? 'SIGKILL' : 'SIGTERM']);
    });
});
