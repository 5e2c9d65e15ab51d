import type { Logger } from '../../../api/base/logger.ts';
import type { KernelAccess } from './kernel-access.ts';

interface KernelTunable {
  /** The path below /proc/sys. */
  readonly file: string;
  readonly value: number;
}

/** The settings of memory, panics and keys that a kubelet works with, as kubelets set them when they start. */
export const kernelTunables: readonly KernelTunable[] = [
  { file: 'vm/overcommit_memory', value: 1 },
  { file: 'vm/panic_on_oom', value: 0 },
  { file: 'kernel/panic', value: 10 },
  { file: 'kernel/panic_on_oops', value: 1 },
  { file: 'kernel/keys/root_maxkeys', value: 1_000_000 },
  { file: 'kernel/keys/root_maxbytes', value: 25_000_000 },
];

interface KernelTunablesDependencies {
  readonly kernel: Pick<KernelAccess, 'read' | 'write'>;
  readonly logger: Logger;
}

/**
 * Makes the settings, or throws if `protect` (`--protect-kernel-defaults`) forbids that and one differs. A setting that cannot be written,
 * as in a container without the rights, causes a warning: Pods run all the same.
 */
export async function applyKernelTunables(protect: boolean, { kernel, logger }: KernelTunablesDependencies): Promise<void> {
  const differing: string[] = [];
  for (const { file, value } of kernelTunables) {
    const path = `/proc/sys/${file}`;
    const present = (await kernel.read(path))?.trim();
    if (present === undefined) {
      logger.warn('the kernel has no such setting', { setting: file });
      continue;
    }
    if (Number(present) === value) continue;
    if (protect) {
      differing.push(`invalid kernel flag: ${file}, expected value: ${value}, actual value: ${present}`);
      continue;
    }
    await kernel.write(path, String(value)).then(
      () => logger.info('updated a kernel setting', { setting: file, was: present, value }),
      (error: unknown) => logger.warn('a kernel setting cannot be made', { setting: file, was: present, wanted: value, error }),
    );
  }
  if (differing.length > 0) throw new Error(`the kernel's settings are protected (--protect-kernel-defaults): ${differing.join('; ')}`);
}
