import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';
import type { MachineImage } from '../image/ensure-image.ts';
import { createMachine, type MachineOptions } from './machine.ts';

/** The files with a machine's identity, which are removed so that the next machine gets a new one. */
const forgetItself =
  'rm -rf /root/.ssh /var/lib/dbus/machine-id; : >/etc/machine-id; journalctl -q --rotate; journalctl -q --vacuum-time=1s; sync';

/**
 * Returns the image after it was booted and shut down once, stored beside the image: Debian's first boot takes minutes on an emulated
 * processor, above all for compiling AppArmor profiles.
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
      // The folder may be on another file system; the disk is renamed when it is complete.
      const unfinished = `${disk}.${process.pid}`;
      await runSuccessfully('mv', [machine.disk, unfinished], { timeoutSeconds: 300 });
      renameSync(unfinished, disk);
    } finally {
      await machine.remove();
    }
  }
  return { ...image, disk, diskFormat: 'qcow2' };
}
