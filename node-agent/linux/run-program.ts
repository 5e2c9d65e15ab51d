import { spawn } from 'node:child_process';
import { env } from 'node:process';

export interface ProgramOptions {
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Besides that of the agent. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and answers its standard output; a failure carries the command line and its error output. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.environment ? { env: { ...env, ...options.environment } } : {}),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {}); // the program may end without reading; its exit code says more
    child.on('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.on('close', (code, killedBy) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const reason = Buffer.concat(err).toString().trim() || (killedBy ?? `exit status ${code}`);
      reject(new Error(`${command} ${args.join(' ')}: ${reason}`));
    });
    child.stdin.end(options.input);
  });
}
