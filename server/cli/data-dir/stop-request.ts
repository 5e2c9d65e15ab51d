import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type DataDir, writeFileAtomically } from './data-dir.ts';

/** The options of `kubets stop` for a process, which a signal cannot carry. */
interface StopRequest {
  /** The pid of the process that is meant. */
  readonly pid: number;
  readonly pods: boolean;
  readonly graceSeconds: number;
}

const fileOf = ({ path: directory }: Pick<DataDir, 'path'>) => path.join(directory, 'run/stop-request');

export function writeStopRequest(dataDir: DataDir, request: StopRequest): void {
  writeFileAtomically(fileOf(dataDir), `${JSON.stringify(request)}\n`, 0o600);
}

/** The request for this process, once; undefined where there is none. */
export function takeStopRequest(dataDir: Pick<DataDir, 'path'>, pid: number): StopRequest | undefined {
  const file = fileOf(dataDir);
  try {
    if (!existsSync(file)) return undefined;
    const request = JSON.parse(readFileSync(file, 'utf8')) as StopRequest;
    if (request.pid !== pid) return undefined;
    rmSync(file, { force: true });
    return request;
  } catch {
    return undefined;
  }
}
