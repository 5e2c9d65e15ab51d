import { type Connection, connectMany } from './connection.ts';
import { ErrorCounts, isSuccess } from './errors.ts';
import { startStopwatch } from './stopwatch.ts';
import { latenciesOf, type TaskResult, type WatchTask } from './task.ts';
import { compileTemplate, createValues } from './template.ts';

/** A client-go process holds one connection; a thousand watches come from some processes. */
const watchesPerSession = 100;
const lineFeed = 10;

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

  /** Resolves when the server has begun to answer. */
  open(index: number, connection: Connection, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      connection.send(
        { method: 'GET', path },
        {
          onStatus: (status) => (isSuccess(status) ? resolve() : reject(new Error(`the watch was answered with ${status}`))),
          onData: (data, start, end) => this.#read(index, data, start, end),
          onEnd: () => this.errors.add('a watch was ended by the server'),
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
    await Promise.all(pool.places.map((place, index) => watches.open(index, place, task.watchPath)));
    const writes = createWrites(task);
    const within = <T>(work: Promise<T>): Promise<T | 'late'> =>
      Promise.race([work, new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), task.timeoutSeconds * 1000).unref())]);
    // Once round, so that the server has compiled what it runs.
    const warm = watches.expect(task.objects);
    await writes.send(writers.places, task.objects);
    await within(warm);

    onBegin();
    const before = watches.frames;
    const stopwatch = startStopwatch();
    const all = watches.expect(burst.updates);
    await writes.send(writers.places, burst.updates);
    if ((await within(all)) === 'late') watches.errors.add('watches that had not got all events in time');
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
      if ((await within(reached)) === 'late') break;
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
