import { spawn } from 'node:child_process';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findPreparation, parseMicroseconds } from './login-messages.ts';
import { runProgram } from '../processes/run-program.ts';

/** A delay lock of the machine's shutdown, held until it is released or this process ends. */
export interface ShutdownLock {
  release(): void;
}

/** The machine's shutdown as systemd-logind announces and delays it (org.freedesktop.login1). */
export interface LoginManager {
  /** Whether the machine runs systemd, with its login manager on the system bus. */
  isPresent(): Promise<boolean>;
  /** How long a lock can delay the shutdown (InhibitDelayMaxSec). */
  maxDelaySeconds(): Promise<number>;
  /** Raises the time for which locks may delay a shutdown, by a file in logind.conf.d. */
  raiseMaxDelay(seconds: number): Promise<void>;
  /** Whether a shutdown is under way. */
  isPreparing(): Promise<boolean>;
  /** `onLost`: it was taken away, before it was released. */
  lock(onLost: (error: Error) => void): Promise<ShutdownLock>;
  /** Reports when a shutdown begins (true) or is cancelled (false). Rejects when it no longer can; ends with the signal. */
  watch(onPrepare: (isStarting: boolean) => void, signal: AbortSignal): Promise<void>;
}

/** The file by which kubets raises the delay; the kubelet's is 99-kubelet.conf in the same folder. */
export const delayFile = '/etc/systemd/logind.conf.d/99-kubets.conf';

const service = 'org.freedesktop.login1';
const object = '/org/freedesktop/login1';
const managerInterface = `${service}.Manager`;
/** Without the sender anybody on the bus could announce a shutdown. */
const match = `type='signal',sender='${service}',path='${object}',interface='${managerInterface}',member='PrepareForShutdown'`;

/** Holds until its standard input is closed, which the end of this process does, whatever ends it. */
const hold = 'echo held && exec cat >/dev/null';

export function createLoginManager(): LoginManager {
  const property = (name: string) => runProgram('busctl', ['get-property', service, object, managerInterface, name]);
  return {
    async isPresent() {
      try {
        await access('/run/systemd/system');
        await property('PreparingForShutdown');
        return true;
      } catch {
        return false; // another init system, or no bus
      }
    },
    maxDelaySeconds: async () => parseMicroseconds(await property('InhibitDelayMaxUSec')) / 1_000_000,
    async raiseMaxDelay(seconds) {
      const text = `# Written by kubets: how long Pods may delay the shutdown of the machine.\n[Login]\nInhibitDelayMaxSec=${Math.ceil(seconds)}\n`;
      if ((await readFile(delayFile, 'utf8').catch(() => '')) !== text) {
        await mkdir(path.dirname(delayFile), { recursive: true });
        await writeFile(delayFile, text);
      }
      await runProgram('systemctl', ['kill', '--signal=HUP', 'systemd-logind.service']);
    },
    isPreparing: async () => (await property('PreparingForShutdown')).trim() === 'b true',
    lock: takeLock,
    watch: watchPreparations,
  };
}

async function takeLock(onLost: (error: Error) => void): Promise<ShutdownLock> {
  const why = 'Kubernetes Pods are ended in order';
  const inhibit = ['--what=shutdown', '--mode=delay', '--who=kubets', `--why=${why}`, 'sh', '-c', hold];
  const child = spawn('systemd-inhibit', inhibit, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // has ended by itself
  const said = collectErrors(child);
  let isReleased = false;
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const error = new Error(`systemd-inhibit ended (${code}): ${said()}`);
      reject(error);
      if (!isReleased) onLost(error);
    });
    child.stdout.once('data', () => resolve());
  });
  return {
    release() {
      isReleased = true;
      child.stdin.end();
    },
  };
}

function watchPreparations(onPrepare: (isStarting: boolean) => void, signal: AbortSignal): Promise<void> {
  const monitor = ['busctl', 'monitor', '--system', '--json=short', `--match=${match}`];
  // The kernel ends it with this process: it would notice only at its next message.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...monitor], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = collectErrors(child);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const isStarting = findPreparation(line);
    if (isStarting !== undefined) onPrepare(isStarting);
  });
  const stop = () => child.kill();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (signal.aborted) resolve();
      else reject(new Error(`busctl monitor ended (${code}): ${said()}`));
    });
  }).finally(() => signal.removeEventListener('abort', stop));
}

function collectErrors({ stderr }: { readonly stderr: NodeJS.ReadableStream }): () => string {
  let said = '';
  stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1000)));
  return () => said.trim();
}
