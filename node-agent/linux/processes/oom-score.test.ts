import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { mayLowerOOMScores, setOOMScore } from './oom-score.ts';

describe('scores of the OOM killer', () => {
  const own = () => readFile('/proc/self/oom_score_adj', 'utf8');

  it('are found out to be lowered or not without a change of the own', async () => {
    const before = await own();
    const may = await mayLowerOOMScores();
    assert.equal(await own(), before);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      const set = setOOMScore(child.pid ?? 0, -998);
      if (may) await set;
      else await assert.rejects(set, /EACCES|EPERM/);
      const score = (await readFile(`/proc/${child.pid}/oom_score_adj`, 'utf8')).trim();
      assert.equal(score === '-998', may);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('are nothing to a process that has ended', async () => {
    await setOOMScore(2 ** 22 + 1, 500);
  });
});
