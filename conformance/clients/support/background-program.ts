import { type ChildProcess, spawn } from 'node:child_process';
import { waitFor } from '../../framework/wait-for.ts';

/** A program that runs until it is stopped, such as `kubectl logs --follow`. */
export interface BackgroundProgram {
  /** All that it has written so far. */
  output(): string;
  /** Waits until the output matches. */
  says(wanted: RegExp, withinSeconds?: number): Promise<RegExpExecArray>;
  write(text: string): void;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, once it has ended by itself. */
  readonly exitCode: Promise<number | null>;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly cwd?: string;
  /** Beside the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export function startProgram(program: string, args: readonly string[], { cwd, env }: StartOptions = {}): BackgroundProgram {
  const child: ChildProcess = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  child.stdin?.on('error', () => undefined);
  return {
    output: () => output,
    async says(wanted, withinSeconds = 20) {
      try {
        return await waitFor(`${program} to say ${wanted}`, () => wanted.exec(output) ?? undefined, { withinSeconds, everyMs: 50 });
      } catch (error) {
        throw new Error(`${String(error)}; it said:\n${output}`, { cause: error });
      }
    },
    exitCode: ended,
    write: (text) => void child.stdin?.write(text),
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
