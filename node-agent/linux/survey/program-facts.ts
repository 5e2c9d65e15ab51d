import { access, constants } from 'node:fs/promises';
import { env } from 'node:process';
import { runProgram } from '../processes/run-program.ts';
import type { ProgramFacts } from './surveyed-machine.ts';

const usualFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The programs that the agent or its runtime calls, with the arguments that print their version. */
const programs: Readonly<Record<string, readonly string[] | undefined>> = {
  containerd: ['--version'],
  'containerd-shim-runc-v2': undefined,
  runc: ['--version'],
  nft: ['--version'],
  ip: undefined,
  conntrack: undefined,
  iptables: undefined,
  modprobe: undefined,
  mount: undefined,
  umount: undefined,
  nsenter: undefined,
};

export async function readPrograms(isThorough: boolean, signal: AbortSignal): Promise<Record<string, ProgramFacts>> {
  const entries = Object.entries(programs).map(async ([name, versionArguments]): Promise<[string, ProgramFacts]> => {
    const path = await findProgram(name, searchFolders());
    if (path === undefined) {
      const elsewhere = await findProgram(name, usualFolders);
      return [name, { path, ...(elsewhere === undefined ? {} : { elsewhere }) }];
    }
    return [name, { path, ...(isThorough && versionArguments ? await askVersion(path, versionArguments, signal) : {}) }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function askVersion(
  path: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Pick<ProgramFacts, 'version' | 'versionProblem'>> {
  try {
    return { version: (await runProgram(path, args, { signal })).trim() };
  } catch (error) {
    if (signal.aborted) return { versionProblem: 'has not answered in time' };
    return { versionProblem: error instanceof Error ? error.message : String(error) };
  }
}

function searchFolders(): string[] {
  return (env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await isExecutable(`${folder}/${name}`)) return `${folder}/${name}`;
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
