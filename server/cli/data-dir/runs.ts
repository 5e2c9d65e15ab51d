import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type DataDir, writeNote } from './data-dir.ts';
import { findProcessIdentity, isSameProcess } from './process-identity.ts';

/** The commands that run a part of a cluster until they are stopped. */
export type RunningCommand = 'up' | 'server' | 'agent';

/** A process that runs (a part of) the cluster of a data dir. */
export interface Run {
  readonly command: RunningCommand;
  readonly pid: number;
  /** Absent if the system does not provide it. */
  readonly identity?: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** The commands of the same role, for each command that runs a node or a control plane. */
const rivals: Readonly<Record<RunningCommand, readonly RunningCommand[]>> = {
  up: ['up', 'server', 'agent'],
  server: ['up', 'server'],
  agent: ['up', 'agent'],
};

const folder = (dataDir: Pick<DataDir, 'path'>) => path.join(dataDir.path, 'run');
const fileOf = (dataDir: Pick<DataDir, 'path'>, command: RunningCommand) => path.join(folder(dataDir), `${command}.json`);

/**
 * Records that this process runs the cluster; throws if another one does. The record is removed with the process. Returns the error, if
 * there is one, that kept it from being written.
 */
export function beginRun(dataDir: DataDir, command: RunningCommand, now: Date): string | undefined {
  const rival = findRuns(dataDir).find((run) => run.pid !== process.pid && rivals[command].includes(run.command));
  if (rival)
    throw new Error(
      `'kubets ${rival.command}' is running on ${dataDir.path} already (process ${rival.pid}); stop it first ('kubets stop'), or choose another --data-dir and --port`,
    );
  const identity = findProcessIdentity(process.pid);
  const run: Run = { command, pid: process.pid, ...(identity === undefined ? {} : { identity }), startedAt: now.toISOString() };
  process.on('exit', () => rmSync(fileOf(dataDir, command), { force: true }));
  return writeNote(fileOf(dataDir, command), `${JSON.stringify(run)}\n`);
}

/** The processes that run on a data dir now. */
export function findRuns(dataDir: Pick<DataDir, 'path'>): Run[] {
  if (!existsSync(folder(dataDir))) return [];
  return readdirSync(folder(dataDir)).flatMap((name) => {
    const run = name.endsWith('.json') ? findRun(path.join(folder(dataDir), name)) : undefined;
    return run !== undefined && isSameProcess(run) ? [run] : [];
  });
}

function findRun(file: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Run;
  } catch {
    return undefined; // it has just ended
  }
}
