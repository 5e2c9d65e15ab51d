import { spawn } from 'node:child_process';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env } from 'node:process';

export interface ProgramOptions {
  readonly input?: string | Uint8Array;
  /**
   * The whole input, as `input`, but the program starts once all of it is there: if the agent is killed, the program does not take a part
   * for the whole.
   */
  readonly wholeInput?: string;
  readonly signal?: AbortSignal;
  /** Besides that of the agent. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and answers its standard output; a failure carries the command line and its error output. */
export async function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  if (options.wholeInput === undefined) return await spawnProgram(command, args, options);
  const file = await createNamelessFile(options.wholeInput);
  try {
    return await spawnProgram(command, args, options, file);
  } finally {
    await file.close();
  }
}

function spawnProgram(command: string, args: readonly string[], options: ProgramOptions, inputFile?: FileHandle): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: [inputFile?.fd ?? 'pipe', 'pipe', 'pipe'],
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.environment ? { env: { ...env, ...options.environment } } : {}),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => {}); // the program may end without reading; its exit code says more
    child.on('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.on('close', (code, killedBy) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const reason = Buffer.concat(err).toString().trim() || (killedBy ?? `exit status ${code}`);
      reject(new Error(`${command} ${args.join(' ')}: ${reason}`));
    });
    child.stdin?.end(options.input);
  });
}

/** Open for reading from its beginning, and gone when it is closed, by whatever. */
async function createNamelessFile(content: string): Promise<FileHandle> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kubets-'));
  try {
    const file = await open(path.join(directory, 'input'), 'wx+', 0o600);
    const bytes = Buffer.from(content);
    // With positions, which leave the file's own where the program is to begin.
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
    return file;
  } finally {
    await rm(directory, { recursive: true });
  }
}
