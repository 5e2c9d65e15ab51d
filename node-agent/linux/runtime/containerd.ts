import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { createCRIClient } from '../../cri/cri-client.ts';
import {
  type ContainerdPlan,
  type ContainerdVersion,
  configuredDriver,
  containerdConfig,
  parseContainerdVersion,
} from './containerd-config.ts';
import { machineHasAppArmor } from '../machine/machine.ts';
import { mayLowerOOMScores, oomScores, setOOMScore } from '../processes/oom-score.ts';
import { processIsAlive, readCommandLine, terminateProcess } from '../processes/processes.ts';
import { runProgram } from '../processes/run-program.ts';
import { writePatientRunc } from './patient-runc.ts';
import { shimsOf } from './shims.ts';
import { giveOwnScope } from '../cgroups/systemd-scope.ts';

/** The node's own containerd. It runs in a session of its own and outlives the agent, so that containers go on without it. */
export interface Containerd {
  readonly socket: string;
  /** Adopts a running containerd, or starts one; resolves when it answers. Called again after it died. */
  ensureRunning(signal: AbortSignal): Promise<void>;
  /** Ends the daemon. Containers, if any are left, go on. */
  stop(): Promise<void>;
  /** Processes of the daemon, if it runs, and of its shims. */
  pids(): Promise<number[]>;
}

/** The time that containerd may take to answer. It answers only when it has asked all shims, and gives each of them a minute. */
const startTimeoutMs = 180_000;

/** Socket paths are limited to 107 bytes by the kernel: deep data directories get theirs in /run. */
export function containerdSocket(directory: string): string {
  const beside = `${directory}/containerd.sock`;
  if (Buffer.byteLength(beside) + '.ttrpc'.length <= 107) return beside;
  return `/run/kubets-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}/containerd.sock`;
}

export function createContainerd(plan: ContainerdPlan, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): Containerd {
  const configFile = `${plan.directory}/config.toml`;
  const pidFile = `${plan.directory}/containerd.pid`;
  const findRunning = async (): Promise<number | undefined> => {
    try {
      const pid = Number(await fs.readFile(pidFile, 'utf8'));
      return (await readCommandLine(pid)).includes(configFile) && (await processIsAlive(pid)) ? pid : undefined;
    } catch {
      return undefined; // never started here, or gone
    }
  };
  const start = async (): Promise<number> => {
    await fs.mkdir(`${plan.directory}/certs.d`, { recursive: true });
    await fs.mkdir(plan.socket.slice(0, plan.socket.lastIndexOf('/')), { recursive: true });
    const patientRunc = await writePatientRunc(plan.directory);
    if (patientRunc === undefined)
      logger.warn('programs in the data directory cannot be run: a containerd that crashes may lose containers when it starts again');
    const machine = { hasAppArmor: await machineHasAppArmor(), mayLowerOOMScores: await mayLowerOOMScores(), patientRunc };
    await fs.writeFile(configFile, containerdConfig(plan, await installedVersion(), machine));
    const log = await fs.open(`${plan.directory}/containerd.log`, 'a');
    try {
      const child = spawn('containerd', ['-c', configFile], { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('error', (error) => reject(new Error(`containerd cannot be started: ${error.message}`)));
        child.once('spawn', () => resolve(child.pid ?? 0));
      });
      child.unref();
      await fs.writeFile(pidFile, String(pid));
      return pid;
    } finally {
      await log.close();
    }
  };
  const stop = async () => {
    const pid = await findRunning();
    if (pid !== undefined) await terminateProcess(pid, 10_000, clock);
    await fs.rm(pidFile, { force: true });
  };
  const hasOtherDriver = async () => configuredDriver(await fs.readFile(configFile, 'utf8').catch(() => '')) !== plan.cgroupDriver; // not written yet
  return {
    socket: plan.socket,
    async ensureRunning(signal) {
      // The daemon reads its configuration when it starts.
      if (await hasOtherDriver()) await stop();
      const running = await findRunning();
      const pid = running ?? (await start());
      logger.info(running === undefined ? 'started containerd' : 'adopted running containerd', { containerd: pid, socket: plan.socket });
      await protect(pid, plan, logger);
      await leaveUnit(pid, plan, logger);
      const deadline = clock.monotonicMs() + startTimeoutMs;
      while (!(await answers(plan.socket, clock))) {
        if (!(await processIsAlive(pid))) throw new Error(`containerd ended at once; see ${plan.directory}/containerd.log`);
        if (clock.monotonicMs() > deadline) throw new Error(`containerd does not answer on ${plan.socket}`);
        await sleep(clock, 20, signal);
      }
    },
    stop,
    async pids() {
      const pid = await findRunning();
      return pid === undefined ? [] : [pid, ...(await shimsOf(plan.socket))];
    },
  };
}

/** containerd gives shims their OOM score when they start. Existing ones were started by a containerd without one, or by an adopted one. */
async function protect(pid: number, { socket }: ContainerdPlan, logger: Logger): Promise<void> {
  try {
    await setOOMScore(pid, oomScores.containerd);
    for (const shim of await shimsOf(socket)) await setOOMScore(shim, oomScores.shim);
  } catch (error) {
    logger.debug('containerd is not protected from the OOM killer', { error });
  }
}

/** Neither the end of a service nor that of a login session is to end containers. */
async function leaveUnit(pid: number, { socket }: ContainerdPlan, logger: Logger): Promise<void> {
  try {
    await giveOwnScope([pid, ...(await shimsOf(socket))]);
  } catch (error) {
    logger.warn('containerd has no scope of its own: it is stopped with the unit or session that it was started in', { error });
  }
}

async function installedVersion(): Promise<ContainerdVersion> {
  const output = await runProgram('containerd', ['--version']).catch((error: Error) => {
    throw new Error(`containerd cannot be started: ${error.message}`);
  });
  return parseContainerdVersion(output);
}

/** The socket is there before the runtime is ready for requests. */
async function answers(socket: string, clock: Clock): Promise<boolean> {
  const cri = createCRIClient({ endpoint: `unix://${socket}`, clock });
  try {
    await cri.runtime.status();
    return true;
  } catch {
    return false;
  } finally {
    cri.close();
  }
}
