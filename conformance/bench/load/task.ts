/** The messages between the bench and its load generator, a process of its own. */

export type Protocol = 'h1' | 'h2';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly caPEM: string;
  /** Bearer token of every request. */
  readonly token: string;
}

/** In a template: the object's resourceVersion. */
export const versionMark = '%R%';

/**
 * A request in which every `%N%` is an object's number, every `%V%` a number that is used once only, and every `%R%` of its body
 * the object's resourceVersion.
 */
export interface RequestTemplate {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

interface CommonTask {
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
}

/** Repeats requests on a number of connections (h1) or streams of one connection (h2), each of which waits for its answer. */
export interface RequestsTask extends CommonTask {
  readonly kind: 'requests';
  readonly template: RequestTemplate;
  readonly concurrency: number;
  readonly warmupSeconds: number;
  /** When no more requests are sent; those under way are waited for and counted. */
  readonly seconds: number;
  /** Objects `first` to `first + count - 1` are asked for. */
  readonly first: number;
  readonly count: number;
  /** Whether to begin again after the last object. */
  readonly cycle: boolean;
}

/** Watches are opened, then objects are updated; every watch is to get every event. */
export interface WatchTask extends CommonTask {
  readonly kind: 'watch';
  /** The path of the watch with its query, which names a resourceVersion. */
  readonly watchPath: string;
  readonly watchers: number;
  readonly update: RequestTemplate;
  /** How many objects the updates go round. */
  readonly objects: number;
  /** Updates as fast as `writers` at once can send them. */
  readonly burst: { readonly updates: number; readonly writers: number };
  /** Then this many, each after all watches got the one before. */
  readonly single: number;
  readonly timeoutSeconds: number;
}

/** A number of informers that start at once: each lists (resourceVersion=0) and then watches from there. */
export interface InformersTask extends CommonTask {
  readonly kind: 'informers';
  /** Without a query; informer i takes the i-th, round and round. */
  readonly paths: readonly string[];
  readonly informers: number;
  readonly timeoutSeconds: number;
}

export type Task = RequestsTask | WatchTask | InformersTask;

interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface TaskResult {
  /** The number of results: answers, delivered events, synced informers. */
  readonly count: number;
  readonly elapsedSeconds: number;
  readonly bytes: number;
  readonly latencies: Latencies;
  /** Numbers of objects that were used, from `first` on. */
  readonly used: number;
  /** Processor time of the generator while it measured. */
  readonly cpuSeconds: number;
  /** Failures by how often: a status code, or a connection's error. */
  readonly errors: Readonly<Record<string, number>>;
}

/** `begin`: the warm-up is over, now it is measured. */
export type GeneratorMessage =
  | { readonly type: 'begin' }
  | { readonly type: 'end'; readonly result: TaskResult }
  | { readonly type: 'failed'; readonly message: string };

export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function latenciesOf(millis: readonly number[]): Latencies {
  const sorted = Float64Array.from(millis).sort();
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
}
