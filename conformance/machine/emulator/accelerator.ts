import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { MachineImage } from '../image/ensure-image.ts';
import type { Accelerator } from './qemu-arguments.ts';

/** A line that a kernel on real hardware prints within a second or two of its start. */
const kernelIsUp = /Run \/init as init process/;
const trialMs = 20_000;

/**
 * The accelerator that truly works: KVM if Debian's kernel boots with it. A machine may have a /dev/kvm which cannot run a
 * kernel that was not made for it.
 */
export async function chooseAccelerator(image: MachineImage): Promise<{ accelerator: Accelerator; reason: string }> {
  if (!existsSync('/dev/kvm')) return { accelerator: 'tcg', reason: 'there is no /dev/kvm' };
  const output = await bootKernel(image);
  if (kernelIsUp.test(output)) return { accelerator: 'kvm', reason: 'the kernel boots with it' };
  return { accelerator: 'tcg', reason: `the kernel does not boot with KVM, which said: ${findComplaint(output)}` };
}

/** The first line in the output of QEMU and the kernel that reports a failure, or else the last line. */
export function findComplaint(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const complaint = lines.find((line) => /emulation failure|internal error|could not|failed to/i.test(line)) ?? lines.at(-1);
  return (complaint ?? 'nothing').slice(0, 100);
}

/** Starts the kernel on a machine without a disk, and returns its output and QEMU's until it was up, failed or took too long. */
function bootKernel({ kernel, initrd }: MachineImage): Promise<string> {
  return new Promise((resolve) => {
    const machine = ['-accel', 'kvm', '-cpu', 'host', '-m', '512', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'];
    const boot = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 panic=-1'];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...machine, ...boot], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: trialMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        // After an emulation failure QEMU keeps running with the processor stopped.
        if (kernelIsUp.test(output) || /emulation failure|internal error/i.test(output)) child.kill('SIGKILL');
      });
    child.once('error', (error) => resolve(String(error)));
    child.once('close', () => resolve(output));
  });
}
