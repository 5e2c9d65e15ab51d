import type { Connection } from './connection.ts';
import { ErrorCounts, isSuccess } from './errors.ts';
import { startStopwatch } from './stopwatch.ts';
import { readVersions, VersionReader } from './object-versions.ts';
import { latenciesOf, type RequestsTask, type TaskResult, versionMark } from './task.ts';
import { compileTemplate, createValues } from './template.ts';
import { connectMany } from './connection-pool.ts';

interface Phase {
  readonly endMs: number;
  readonly latenciesMs: number[];
  readonly errors: ErrorCounts;
  bytes: number;
}

/** Every place works on its own, so that a slow answer holds up nobody else. */
export async function runRequests(task: RequestsTask, onBegin: () => void): Promise<TaskResult> {
  const fill = compileTemplate(task.template);
  const nextValue = createValues();
  const versions = task.template.body?.includes(versionMark) ? await readVersions(task) : undefined;
  const pool = await connectMany(task.protocol, task.endpoint, task.concurrency, 1);
  let used = 0;
  const nextObject = (): number | undefined => {
    if (!task.cycle && used >= task.count) return undefined;
    return task.first + (used++ % task.count);
  };
  const work = (connection: Connection, phase: Phase): Promise<void> =>
    new Promise((resolve) => {
      let sentMs = 0;
      let status = 0;
      let current = 0;
      const reader = versions && new VersionReader();
      const settle = (failure: string | undefined) => {
        const nowMs = performance.now();
        const version = reader?.take();
        if (version !== undefined && failure === undefined) versions?.set(current, version);
        if (failure === undefined) phase.latenciesMs.push(nowMs - sentMs);
        else phase.errors.add(failure);
        send(nowMs);
      };
      const handler = {
        onStatus: (code: number) => void (status = code),
        onData: (data: Buffer, start: number, end: number) => {
          phase.bytes += end - start;
          reader?.read(data, start, end);
        },
        onEnd: () => settle(isSuccess(status) ? undefined : String(status)),
        onError: (error: Error) => {
          phase.errors.add(error.message);
          resolve();
        },
      };
      const send = (nowMs: number) => {
        const object = nowMs < phase.endMs ? nextObject() : undefined;
        if (object === undefined) return resolve();
        sentMs = nowMs;
        current = object;
        connection.send(fill(object, nextValue(), versions?.get(object)), handler);
      };
      send(performance.now());
    });
  const run = async (seconds: number): Promise<Phase> => {
    const phase: Phase = { endMs: performance.now() + seconds * 1000, latenciesMs: [], errors: new ErrorCounts(), bytes: 0 };
    await Promise.all(pool.places.map((place) => work(place, phase)));
    return phase;
  };
  try {
    await run(task.warmupSeconds);
    onBegin();
    const stopwatch = startStopwatch();
    const { latenciesMs, errors, bytes } = await run(task.seconds);
    return {
      count: latenciesMs.length,
      elapsedSeconds: stopwatch.elapsedSeconds(),
      cpuSeconds: stopwatch.cpuSeconds(),
      bytes,
      latencies: latenciesOf(latenciesMs),
      used,
      errors: errors.toRecord(),
    };
  } finally {
    pool.close();
  }
}
