import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';
import type { MachineImage } from '../image/ensure-image.ts';
import { createMachine, type MachineOptions } from './machine.ts';

/** The identity of a machine, which the next one that starts from its disk must get anew. */
const forgetItself =
  'rm -rf /root/.ssh /var/lib/dbus/machine-id; : >/etc/machine-id; journalctl -q --rotate; journalctl -q --vacuum-time=1s; sync';

/**
 * The image after it was booted and shut down once, kept beside the image. What Debian does at its first boot (compiling
 * AppArmor profiles above all) takes minutes on an emulated processor.
 */
export async function ensureBootedOnce(
  image: MachineImage,
  options: Omit<MachineOptions, 'name' | 'image' | 'between'>,
): Promise<MachineImage> {
  const disk = path.join(path.dirname(image.disk), 'booted.qcow2');
  if (!existsSync(disk)) {
    const machine = await createMachine({ ...options, name: 'first-boot', image });
    try {
      await machine.powerOn();
      await machine.shell.run('systemctl is-system-running --wait', { timeoutSeconds: options.bootSeconds });
      await machine.succeed(forgetItself);
      await machine.powerOff(options.bootSeconds);
      // The folder may be on another file system; the disk appears whole or not at all.
      const unfinished = `${disk}.${process.pid}`;
      await runSuccessfully('mv', [machine.disk, unfinished], { timeoutSeconds: 300 });
      renameSync(unfinished, disk);
    } finally {
      await machine.remove();
    }
  }
  return { ...image, disk, diskFormat: 'qcow2' };
}
