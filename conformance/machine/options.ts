import path from 'node:path';
import { parseArgs } from 'node:util';
import { type ImageVariant, imageVariants } from './image/variants.ts';

export interface MachineTestOptions {
  readonly machines: 1 | 3;
  /** Only checks whose topic or name matches; undefined is all. */
  readonly only?: RegExp;
  /** Folder in which images are kept. */
  readonly cache: string;
  readonly mirror: string;
  /** The machine that the image is of. */
  readonly variant: ImageVariant;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  /** Rounds of the check that stops shims. */
  readonly rounds: number;
  /** The factor by which time-outs are multiplied. Absent: it is measured. */
  readonly patience?: number;
  /** Leaves disks, consoles and logs of the run in its folder. */
  readonly keep: boolean;
  readonly list: boolean;
  /** Boots, prints the command that gets there, and waits for Ctrl-C. */
  readonly ssh: boolean;
  readonly help: boolean;
}

export const usage = `Boots Debian in an emulator and checks on it what kubets promises on a user's machine.
  npm run machine-test -- [flags]
    --machines 1|3     one machine (default), or three that join one cluster
    --only REGEX       only the checks whose topic or name matches, after those that start the cluster
    --variant V        the machine: stock (default); cloud: cloud-init, NetworkManager and systemd-resolved;
                       next: containerd and runc of Debian unstable
    --list             print the checks and exit
    --rounds N         rounds of load in which shims are stopped and continued (default 3)
    --ssh              boot, print the command that gets there, wait for Ctrl-C
    --patience N       multiply time-outs by N, not by the slowness at the start: others will use the processors later
    --keep             keep disks, consoles and logs of the run
    --accelerator A    auto (default: KVM if the kernel boots with it), kvm, tcg
    --cache FOLDER     where images are kept (default $XDG_CACHE_HOME/kubets-machine, or node_modules/.cache/kubets-machine)
    --mirror URL       Debian's mirror that the image is made from (default http://deb.debian.org/debian)`;

/** Parses the command line; throws an Error with a message for the user. */
export function parseOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): MachineTestOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      machines: { type: 'string', default: '1' },
      only: { type: 'string' },
      cache: { type: 'string' },
      variant: { type: 'string', default: 'stock' },
      mirror: { type: 'string', default: 'http://deb.debian.org/debian' },
      accelerator: { type: 'string', default: 'auto' },
      rounds: { type: 'string', default: '3' },
      patience: { type: 'string' },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      ssh: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { machines, accelerator, only, patience: _patience, ...flags } = values;
  if (machines !== '1' && machines !== '3') throw new Error(`--machines must be 1 or 3, not ${machines}`);
  if (accelerator !== 'auto' && accelerator !== 'kvm' && accelerator !== 'tcg')
    throw new Error(`--accelerator must be auto, kvm or tcg, not ${accelerator}`);
  const variant = imageVariants.find((one) => one === values.variant);
  if (variant === undefined) throw new Error(`--variant must be one of ${imageVariants.join(', ')}, not ${values.variant}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be a positive number, not ${values.rounds}`);
  const patience = values.patience === undefined ? undefined : Number(values.patience);
  if (patience !== undefined && !(patience >= 1)) throw new Error(`--patience must be a number from 1 on, not ${values.patience}`);
  return {
    ...flags,
    machines: machines === '1' ? 1 : 3,
    accelerator,
    variant,
    rounds,
    cache: values.cache ?? defaultCache(env),
    ...(patience === undefined ? {} : { patience }),
    ...(only === undefined ? {} : { only: new RegExp(only, 'i') }),
  };
}

function defaultCache(env: Readonly<Record<string, string | undefined>>): string {
  const home = env['XDG_CACHE_HOME'];
  if (home !== undefined && path.isAbsolute(home)) return path.join(home, 'kubets-machine');
  return path.resolve(import.meta.dirname, '../../node_modules/.cache/kubets-machine');
}
