import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StoreScan } from '../../storage/embedded/check-store.ts';

/** Reads a whole store in a separate process, which a damaged file may crash. */
export async function scanStore(file: string): Promise<StoreScan> {
  const program = join(import.meta.dirname, 'scan-store-program.ts');
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code, signal], output, complaint] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  const last = output.trim().split('\n').at(-1);
  const { count = 0, revision = 0 } = last ? (JSON.parse(last) as Partial<StoreScan>) : {};
  const problem = signal ? `reading it ends in ${signal}` : complaint.replace(/\s+/g, ' ').trim().slice(0, 300);
  return { isComplete: code === 0, problem, count, revision };
}
