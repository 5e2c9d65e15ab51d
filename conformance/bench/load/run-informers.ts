import type { Connection } from './connection.ts';
import { ErrorCounts, isSuccess } from './errors.ts';
import { startStopwatch } from './stopwatch.ts';
import { type InformersTask, latenciesOf, type TaskResult } from './task.ts';
import { within } from './within.ts';
import { connectMany } from './connection-pool.ts';

/** The number of bytes at the list's beginning in which its own resourceVersion must be found. */
const headBytes = 512;

/** Each informer has a connection of its own, as each process would: after a server's restart they all come at once. */
export async function runInformers(task: InformersTask, onBegin: () => void): Promise<TaskResult> {
  const { endpoint, protocol, informers, paths } = task;
  const pool = await connectMany(protocol, endpoint, informers, informers);
  const errors = new ErrorCounts();
  let bytes = 0;
  const sync = async (connection: Connection, path: string): Promise<void> => {
    let head = '';
    await send(connection, `${path}?resourceVersion=0&limit=500`, 'end', (data, start, end) => {
      bytes += end - start;
      if (head.length < headBytes) head += data.toString('latin1', start, Math.min(end, start + headBytes));
    });
    const revision = /"resourceVersion":"(\d+)"/.exec(head)?.[1];
    if (revision === undefined) throw new Error('the list has no resourceVersion');
    await send(
      connection,
      `${path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=${revision}`,
      'status',
      () => {},
    );
  };
  try {
    onBegin();
    const stopwatch = startStopwatch();
    const syncedMs: number[] = [];
    const one = async (connection: Connection, index: number) => {
      try {
        await sync(connection, paths[index % paths.length] ?? '');
        syncedMs.push(stopwatch.elapsedSeconds() * 1000);
      } catch (error) {
        errors.add(error instanceof Error ? error.message : String(error));
      }
    };
    const all = Promise.all(pool.places.map(one)).then(() => 'synced' as const);
    if ((await within(all, task.timeoutSeconds)) === 'late') errors.add(`not synced within ${task.timeoutSeconds} s`);
    return {
      count: syncedMs.length,
      elapsedSeconds: stopwatch.elapsedSeconds(),
      cpuSeconds: stopwatch.cpuSeconds(),
      bytes,
      latencies: latenciesOf(syncedMs),
      used: informers,
      errors: errors.toRecord(),
    };
  } finally {
    pool.close();
  }
}

type OnData = (data: Buffer, start: number, end: number) => void;

/** Resolves when the answer has begun (`status`) or was read (`end`). */
function send(connection: Connection, path: string, until: 'status' | 'end', onData: OnData): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.send(
      { method: 'GET', path },
      {
        onStatus(status) {
          if (!isSuccess(status)) reject(new Error(`answered with ${status}`));
          else if (until === 'status') resolve();
        },
        onData,
        onEnd: resolve,
        onError: reject,
      },
    );
  });
}
