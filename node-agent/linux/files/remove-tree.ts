import { rmdir, unlink } from 'node:fs/promises';
import { runProgram } from '../processes/run-program.ts';

/**
 * Removes a file, a link, or a directory with everything in it; a path at which nothing is was removed already. Only the
 * directories above `path` are taken by their names: below it no link is followed, whatever is exchanged meanwhile, since
 * `rm` walks by open directories. What is mounted at or below the path is left alone and rejects, as far as it lies on
 * another file system.
 */
export async function removeTree(path: string): Promise<void> {
  const problem = await codeOf(unlink(path));
  if (problem === undefined || problem === 'ENOENT') return;
  // Most directories of a Pod that has ended are empty, and a program for each would cost more than all else.
  if (problem === 'EISDIR') {
    const directoryProblem = await codeOf(rmdir(path));
    if (directoryProblem === undefined || directoryProblem === 'ENOENT') return;
  }
  await runProgram('rm', ['--recursive', '--force', '--one-file-system', '--preserve-root=all', '--', path]);
}

async function codeOf(operation: Promise<void>): Promise<string | undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
}
