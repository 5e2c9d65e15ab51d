import { runProgram } from '../processes/run-program.ts';

/** File systems on block devices. */
export interface BlockDevices {
  /** Mounts the device, which gets a file system first if it has none. `fsType` '': ext4. */
  mount(device: string, target: string, options: { readonly fsType: string; readonly mountOptions: readonly string[] }): Promise<void>;
  /** Grows the file system to the size of its device while it is mounted. */
  grow(device: string, mountPoint: string): Promise<void>;
}

export function createBlockDevices(): BlockDevices {
  return {
    async mount(device, target, { fsType, mountOptions }) {
      let present = await findFileSystem(device);
      if (present === undefined) {
        present = fsType === '' ? 'ext4' : fsType;
        if (!/^[a-z0-9]+$/.test(present)) throw new Error(`${JSON.stringify(present)} is no type of file systems`);
        // No part is kept back for root: the device is the Pod's.
        await runProgram(`mkfs.${present}`, present.startsWith('ext') ? ['-F', '-m0', '--', device] : ['-f', '--', device]);
      }
      await runProgram('mount', ['-t', present, ...(mountOptions.length > 0 ? ['-o', mountOptions.join(',')] : []), '--', device, target]);
    },
    async grow(device, mountPoint) {
      const present = await findFileSystem(device);
      if (present?.startsWith('ext')) await runProgram('resize2fs', ['--', device]);
      else if (present === 'xfs') await runProgram('xfs_growfs', ['--', mountPoint]);
      else throw new Error(`file systems of type ${present ?? 'unknown'} cannot be grown by this node`);
    },
  };
}

/** The exit status of blkid where nothing is recognised. */
const nothingFound = /exit status 2$/;

async function findFileSystem(device: string): Promise<string | undefined> {
  try {
    const type = await runProgram('blkid', ['--probe', '--match-tag', 'TYPE', '--output', 'value', '--', device]);
    return type.trim() === '' ? undefined : type.trim();
  } catch (error) {
    if (error instanceof Error && nothingFound.test(error.message)) return undefined;
    throw error;
  }
}
