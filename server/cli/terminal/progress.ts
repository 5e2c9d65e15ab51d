import { styleText } from 'node:util';

/** Shows the progress of a command on standard error: one line for each step, with the time it took. */
export interface Progress {
  done(text: string): void;
  note(text: string): void;
  /** Says what begins: the time of the next step counts from now. */
  begin(text: string): void;
  fail(text: string): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr, now = () => performance.now()): Progress {
  let lastMs = now();
  // The log of a program may be full or gone: that is no reason to end it.
  stream.on('error', () => {});
  const say = (text: string) => {
    try {
      stream.write(text);
    } catch {
      // a file on a full disk
    }
  };
  const paint = (style: 'green' | 'red' | 'dim', text: string) => styleText(style, text, { stream });
  return {
    done(text) {
      const nowMs = now();
      say(`${paint('green', '✓')} ${text} ${paint('dim', formatMilliseconds(nowMs - lastMs))}\n`);
      lastMs = nowMs;
    },
    note: (text) => say(`  ${text}\n`),
    begin(text) {
      say(`  ${text}\n`);
      lastMs = now();
    },
    fail: (text) => say(`${paint('red', '✗')} ${text}\n`),
  };
}

function formatMilliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
