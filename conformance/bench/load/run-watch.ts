import type { Connection } from './connection.ts';
import { ErrorCounts, isSuccess } from './errors.ts';
import { startStopwatch } from './stopwatch.ts';
import { latenciesOf, type TaskResult, type WatchTask } from './task.ts';
import { compileTemplate, createValues } from './template.ts';
import { within } from './within.ts';
import { connectMany } from './connection-pool.ts';

/** A client-go process holds one connection; a thousand watches come from some processes. */
const watchesPerSession = 100;
const lineFeed = 10;
/** The number of watches opened at once. */
const openedAtOnce = 50;
const tooManyRequests = 429;
const comeAgainMs = 1000;
const maxAttempts = 60;

/** Watches that count the frames they get, and wait for one another. */
class Watches {
  bytes = 0;
  frames = 0;
  readonly errors = new ErrorCounts();
  #goal = 0;
  #behind = 0;
  #onReached: () => void = () => {};
  readonly #seen: Uint32Array;

  constructor(watchers: number) {
    this.#seen = new Uint32Array(watchers);
  }

  /** Resolves when the server has begun to answer. Comes again when it is told to, as clients do. */
  async open(index: number, connection: Connection, path: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const status = await this.#ask(index, connection, path);
      if (isSuccess(status)) return;
      if (status !== tooManyRequests || attempt === maxAttempts) throw new Error(`the watch was answered with ${status}`);
      await new Promise((resolve) => setTimeout(resolve, comeAgainMs));
    }
  }

  /** The status: at once if it is a good one, else when the answer has been read. */
  #ask(index: number, connection: Connection, path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let status = 0;
      connection.send(
        { method: 'GET', path },
        {
          onStatus: (code) => {
            status = code;
            if (isSuccess(code)) resolve(code);
          },
          onData: (data, start, end) => {
            if (isSuccess(status)) this.#read(index, data, start, end);
          },
          onEnd: () => {
            if (isSuccess(status)) this.errors.add('a watch was ended by the server');
            else resolve(status);
          },
          onError: (error) => {
            this.errors.add(error.message);
            reject(error);
          },
        },
      );
    });
  }

  /** Resolves when every watch has got `events` more. */
  expect(events: number): Promise<void> {
    return new Promise((resolve) => {
      this.#goal += events;
      this.#behind = this.#seen.filter((seen) => seen < this.#goal).length;
      this.#onReached = resolve;
      if (this.#behind === 0) resolve();
    });
  }

  #read(index: number, data: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    let found = data.indexOf(lineFeed, start);
    for (; found !== -1 && found < end; found = data.indexOf(lineFeed, found + 1)) {
      this.frames++;
      const seen = (this.#seen[index] ?? 0) + 1;
      this.#seen[index] = seen;
      if (seen === this.#goal && --this.#behind === 0) this.#onReached();
    }
  }
}

/** Latencies are those of one event to the last of all watches; the rate is that of the burst. */
export async function runWatch(task: WatchTask, onBegin: () => void): Promise<TaskResult> {
  const { endpoint, protocol, watchers, burst } = task;
  const pool = await connectMany(protocol, endpoint, watchers, Math.ceil(watchers / watchesPerSession));
  const writers = await connectMany(protocol, endpoint, burst.writers, 1);
  try {
    const watches = new Watches(watchers);
    let opened = 0;
    const openSome = async () => {
      for (let index = opened++; index < pool.places.length; index = opened++) {
        const place = pool.places[index];
        if (place) await watches.open(index, place, task.watchPath);
      }
    };
    await Promise.all(Array.from({ length: openedAtOnce }, openSome));
    const writes = createWrites(task);
    // Once round, so that the server has compiled what it runs.
    const warm = watches.expect(task.objects);
    await writes.send(writers.places, task.objects);
    await within(warm, task.timeoutSeconds);

    onBegin();
    const before = watches.frames;
    const stopwatch = startStopwatch();
    const all = watches.expect(burst.updates);
    await writes.send(writers.places, burst.updates);
    if ((await within(all, task.timeoutSeconds)) === 'late') watches.errors.add('watches that had not got all events in time');
    const burstResult = {
      count: watches.frames - before,
      elapsedSeconds: stopwatch.elapsedSeconds(),
      cpuSeconds: stopwatch.cpuSeconds(),
      bytes: watches.bytes,
    };
    const latenciesMs: number[] = [];
    for (let event = 0; event < task.single; event++) {
      const sentMs = performance.now();
      const reached = watches.expect(1);
      await writes.send(writers.places.slice(0, 1), 1);
      if ((await within(reached, task.timeoutSeconds)) === 'late') break;
      latenciesMs.push(performance.now() - sentMs);
    }
    return { ...burstResult, latencies: latenciesOf(latenciesMs), used: task.objects, errors: watches.errors.toRecord() };
  } finally {
    pool.close();
    writers.close();
  }
}

function createWrites({ update, objects }: WatchTask) {
  const fill = compileTemplate(update);
  const nextValue = createValues();
  let object = 0;
  const sendOne = (connection: Connection): Promise<void> =>
    new Promise((resolve, reject) => {
      connection.send(fill(object++ % objects, nextValue()), {
        onStatus: (status) => (isSuccess(status) ? undefined : reject(new Error(`an update was answered with ${status}`))),
        onData: () => {},
        onEnd: resolve,
        onError: reject,
      });
    });
  return {
    async send(places: readonly Connection[], count: number): Promise<void> {
      let left = count;
      const work = async (connection: Connection) => {
        while (left-- > 0) await sendOne(connection);
      };
      await Promise.all(places.map(work));
    },
  };
}
