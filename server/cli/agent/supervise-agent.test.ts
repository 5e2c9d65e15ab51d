import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { openDataDir, type DataDir } from '../data-dir/data-dir.ts';
import { findProcessIdentity } from '../data-dir/process-identity.ts';
import { superviseAgent, type Supervision } from './supervise-agent.ts';

const within = { withinSeconds: 20, everyMs: 20, clock: systemClock };
const supervisorModule = path.resolve(import.meta.dirname, '../../../node-agent/linux/processes/supervisor.ts');
const clockModule = path.resolve(import.meta.dirname, '../../../api/base/system-clock.ts');

/** Programs in the agent's place, with the agent's own end of the link. */
const program = (body: string) => `
const { connectSupervisor } = await import(${JSON.stringify(supervisorModule)});
const { systemClock } = await import(${JSON.stringify(clockModule)});
const { appendFileSync } = await import('node:fs');
const say = (text) => appendFileSync(process.env.SAID, text + '\\n');
const follow = (onStop) => connectSupervisor({ clock: systemClock, onStop, onGone() { say('gone'); process.exit(0); } });
say('started');
${body}
setInterval(() => {}, 1000);
`;

describe('the supervisor of the agent', function () {
  this.timeout(60_000);
  let directory: string;
  let dataDir: DataDir;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-supervise-'));
    dataDir = openDataDir(directory);
    mkdirSync(dataDir.node);
    process.env['SAID'] = path.join(directory, 'said');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const said = () =>
    existsSync(path.join(directory, 'said')) ? readFileSync(path.join(directory, 'said'), 'utf8').trim().split('\n') : [];
  const pidOf = () => Number(readFileSync(path.join(dataDir.node, 'agent.pid'), 'utf8'));
  const supervise = (body: string, supervision: Partial<Supervision> = {}) => {
    const file = path.join(directory, 'agent.mjs');
    writeFileSync(file, program(body));
    const restarts: (number | string)[] = [];
    const agent = superviseAgent(dataDir, [file], { onRestart: (why) => restarts.push(why), clear: async () => {}, ...supervision });
    return { agent, restarts };
  };
  const alone = { pods: false, graceSeconds: 0, criticalGraceSeconds: 0 };

  it('passes the order to stop on, and waits for the end', async () => {
    const { agent } = supervise(`follow((order) => { say(JSON.stringify(order)); setTimeout(() => process.exit(0), 300); });`);
    await waitFor('the start', () => said().includes('started'), within);
    const pid = pidOf();
    await agent.stop({ pods: true, graceSeconds: 7, criticalGraceSeconds: 2 });
    assert.deepEqual(said(), ['started', '{"pods":true,"graceSeconds":7,"criticalGraceSeconds":2}']);
    assert.equal(findProcessIdentity(pid), undefined);
    assert.equal(existsSync(path.join(dataDir.node, 'agent.pid')), false);
  });

  it('kills an agent whose event loop hangs, and starts it again', async () => {
    const limits = { tickMs: 100, silentTicks: 30, startTicks: 200 };
    const { agent, restarts } = supervise(
      `follow(() => process.exit(0)); if (!(await import('node:fs')).existsSync(process.env.SAID + '-again')) {
         appendFileSync(process.env.SAID + '-again', ''); setTimeout(() => { for (;;); }, 500); }`,
      { limits },
    );
    await waitFor('another start', () => said().length === 2, within);
    assert.deepEqual(restarts, ['it did not answer any more']);
    await agent.stop(alone);
  });

  it('kills an agent that is stopped by a signal, too', async () => {
    const { agent, restarts } = supervise(`follow(() => process.exit(0)); setTimeout(() => say('follows'), 100);`, {
      limits: { tickMs: 100, silentTicks: 30, startTicks: 200 },
    });
    await waitFor('the heartbeats', () => said().includes('follows'), within);
    process.kill(pidOf(), 'SIGSTOP');
    await waitFor('another start', () => said().filter((line) => line === 'started').length === 2, within);
    assert.deepEqual(restarts, ['it did not answer any more']);
    await agent.stop(alone);
  });

  it('clears the node away itself where the agent could not, in bounded time', async () => {
    let cleared = 0;
    const { agent } = supervise('process.exit(3)', { clear: async () => void cleared++ });
    await waitFor('the start', () => said().includes('started'), within);
    await agent.stop({ pods: true, graceSeconds: 0, criticalGraceSeconds: 0 });
    assert.equal(cleared, 1);
  });

  it('is missed by the agent when it is killed', async () => {
    const file = path.join(directory, 'agent.mjs');
    writeFileSync(file, program('follow(() => {});'));
    const code = `const { superviseAgent } = await import(${JSON.stringify(path.join(import.meta.dirname, 'supervise-agent.ts'))});
      const { openDataDir } = await import(${JSON.stringify(path.join(import.meta.dirname, '../data-dir/data-dir.ts'))});
      superviseAgent(openDataDir(${JSON.stringify(directory)}), [${JSON.stringify(file)}], { onRestart() {} }); setInterval(() => {}, 1000);`;
    const supervisor = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
    await waitFor('the start', () => said().includes('started'), within);
    supervisor.kill('SIGKILL');
    await waitFor('that it is missed', () => said().includes('gone'), within);
  });

  describe('on a full disk', () => {
    beforeEach(function () {
      if (process.getuid?.() !== 0 || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', dataDir.node]).status !== 0) this.skip();
      const fill = () => writeFileSync(path.join(dataDir.node, 'fill'), Buffer.alloc(8192));
      assert.throws(() => {
        fill();
        writeFileSync(path.join(dataDir.node, 'more'), 'x');
      }, /ENOSPC/);
    });
    afterEach(() => void spawnSync('umount', [dataDir.node]));

    it('starts the agent again all the same, and says what is wrong', async () => {
      const problems: string[] = [];
      const { agent, restarts } = supervise('follow(() => process.exit(0));', {
        onProblem: (text) => problems.push(text),
      });
      await waitFor('the start', () => said().includes('started'), within);
      assert.match(problems.join(), /ENOSPC/);
      assert.deepEqual(restarts, []);
      await agent.stop(alone);
    });
  });
});
