import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../clients/support/cluster.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { waitFor } from '../../framework/wait-for.ts';
import type { MachineImage } from '../image/ensure-image.ts';
import { addressBetween, managementAddress } from '../image/recipe.ts';
import { controlQEMU } from './control-protocol.ts';
import { type Accelerator, type MachineSize, type QEMUOptions, qemuArguments } from './qemu-arguments.ts';
import { createShell, type KeyPair, type Shell } from './ssh.ts';

/** An emulated machine. Its disk lasts as long as the test, its processes until it is switched off. */
export interface Machine {
  readonly name: string;
  /** The address by which the other machines reach it. */
  readonly address: string;
  readonly shell: Shell;
  /** The port here that leads to the port of the API there. */
  readonly apiPort: number;
  /** Runs a script of `sh` that must succeed, and returns its output. */
  succeed(script: string, options?: { readonly timeoutSeconds?: number; readonly input?: string }): Promise<string>;
  /** Switches it on and waits until root's shell answers. */
  powerOn(): Promise<void>;
  /** Waits until a shell answers again after `systemctl reboot`; `bootID` is that of before. */
  waitForReboot(bootID: string): Promise<void>;
  bootID(): Promise<string>;
  /** Presses the power button and waits until it is off. */
  powerOff(withinSeconds: number): Promise<void>;
  /** Presses the reset button: the machine boots anew without having been shut down. */
  reset(): Promise<void>;
  /** Pulls the plug. */
  unplug(): Promise<void>;
  /** All that the machine has written to its serial console. */
  consoleLog(): string;
  /** The file of its disk. */
  readonly disk: string;
  /** Pulls the plug and removes all that it has written. */
  remove(): Promise<void>;
}

export interface MachineOptions {
  readonly name: string;
  readonly folder: string;
  readonly image: MachineImage;
  readonly accelerator: Accelerator;
  readonly size: MachineSize;
  readonly keyPair: KeyPair;
  readonly between?: NonNullable<QEMUOptions['between']>;
  readonly bootSeconds: number;
}

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Makes a machine with its own disk, which is switched off. */
export async function createMachine(options: MachineOptions): Promise<Machine> {
  const { name, folder, image, between, bootSeconds } = options;
  const file = (suffix: string) => path.join(folder, `${name}.${suffix}`);
  const disk = file('qcow2');
  await runSuccessfully('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.disk, '-F', image.diskFormat, disk]);
  const sshPort = await freePort();
  const apiPort = await freePort();
  const shell = createShell(sshPort, options.keyPair, file('ssh'));
  const console = createConsoleLog(file('console'));
  let qemu: ChildProcess | undefined;

  const { accelerator, size } = options;
  const start = (): ChildProcess =>
    startQEMU(
      {
        accelerator,
        size,
        kernel: image.kernel,
        initrd: image.initrd,
        disk,
        kernelParameters: [`systemd.hostname=${name}`, authorizedKey(options.keyPair)],
        consoleLog: file('console'),
        controlSocket: file('control'),
        forwardedPorts: [
          { here: sshPort, there: 22 },
          { here: apiPort, there: 6443 },
        ],
        ...(between === undefined ? {} : { between }),
      },
      file('emulator.log'),
    );
  const running = (): ChildProcess => {
    if (qemu === undefined || exited(qemu)) throw new Error(`machine ${name} is off`);
    return qemu;
  };
  const readBootID = async (): Promise<string | undefined> => {
    running();
    const { code, stdout } = await shell.run('cat /proc/sys/kernel/random/boot_id', { timeoutSeconds: 90 });
    return code === 0 ? stdout.trim() : undefined;
  };
  const waitForShell = (isThere: (bootID: string) => boolean): Promise<unknown> =>
    waitFor(
      `a shell of machine ${name}`,
      async () => {
        const id = await readBootID();
        return id !== undefined && isThere(id);
      },
      { withinSeconds: bootSeconds, everyMs: 1000 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; its console:\n${console.read().split('\n').slice(-40).join('\n')}`, { cause: error });
    });
  const untilOff = async (withinSeconds: number): Promise<void> => {
    const child = running();
    await waitFor(`machine ${name} to be off`, () => exited(child), { withinSeconds });
    await shell.disconnect();
  };
  const unplug = async (): Promise<void> => {
    if (qemu === undefined || exited(qemu)) return;
    const ended = once(qemu, 'exit');
    qemu.kill('SIGKILL');
    await ended;
    await shell.disconnect();
  };
  return {
    name,
    disk,
    address: between === undefined ? managementAddress : addressBetween(between.index),
    shell,
    apiPort,
    async succeed(script, runOptions) {
      const { code, stdout, stderr } = await shell.run(script, { timeoutSeconds: 600, ...runOptions });
      if (code !== 0) throw new Error(`${script}: ended with ${code} on ${name}: ${stdout}${stderr}`);
      return stdout;
    },
    async powerOn() {
      console.keep();
      qemu = start();
      await waitForShell(() => true);
    },
    waitForReboot: async (before) => void (await waitForShell((id) => id !== before)),
    async bootID() {
      const id = await readBootID();
      if (id === undefined) throw new Error(`machine ${name} has no shell`);
      return id;
    },
    async powerOff(withinSeconds) {
      running();
      await controlQEMU(file('control'), 'system_powerdown');
      await untilOff(withinSeconds);
    },
    async reset() {
      running();
      await controlQEMU(file('control'), 'system_reset');
      await shell.disconnect();
    },
    unplug,
    consoleLog: () => console.read(),
    async remove() {
      await unplug();
      for (const suffix of ['qcow2', 'console', 'control', 'emulator.log']) rmSync(file(suffix), { force: true });
    },
  };
}

/** Starts the emulator as a process that ends with this one in any case. */
function startQEMU(options: QEMUOptions, log: string): ChildProcess {
  const program = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(options)];
  const script = 'log=$1; shift; exec "$@" >>"$log" 2>&1';
  return spawn('sh', ['-c', script, 'sh', log, 'setpriv', ...program], {
    stdio: 'ignore',
    // Ctrl-C is for the test, which switches its machines off.
    detached: true,
  });
}

/** The public key as a parameter of the kernel: systemd writes it to root's authorized keys. */
function authorizedKey({ publicKeyFile }: KeyPair): string {
  const key = Buffer.from(readFileSync(publicKeyFile)).toString('base64');
  return `systemd.set_credential_binary=ssh.authorized_keys.root:${key}`;
}

/** Collects the console's output across restarts, at which the emulator truncates its file. */
function createConsoleLog(file: string): { read(): string; keep(): void } {
  let earlier = '';
  const now = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  return {
    read: () => earlier + now(),
    keep() {
      earlier += now();
      rmSync(file, { force: true });
    },
  };
}
