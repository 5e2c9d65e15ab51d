import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import type { Cluster } from '../framework/connect-cluster.ts';
import { BodyComparison, type ExpectedBody } from './load/expected-body.ts';
import { HTTP1Parser } from './load/http1-parser.ts';
import { latenciesOf, quantile } from './load/task.ts';
import { namespace } from './objects.ts';
import { cpuSecondsOf, machineBusySeconds, memoryOf, socketMiB } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { parseRunningTarget, parseStartedTarget } from './targets.ts';

/**
 * Very many informers of very large objects that all start at once, each on a connection of its own: how long until all
 * have everything, and how much memory the server takes for it. Once with lists, once with lists that are streamed by a
 * watch. They come as an administrator, whom no flow control holds back. What each of them reads is compared byte by byte
 * with what the first has read, which was parsed. One whose answer is cut asks again, after pauses as client-go makes them.
 *
 *   node conformance/bench/large-informers.ts [--informers 1000] [--objects 400] [--kilobytes 1000] [--seconds 3000]
 *                                             [--start kubets | --target name=KUBECONFIG,pid=N]
 */
const handshakesAtOnce = 20;
const sampleEveryMs = 250;
const reportEveryMs = 30_000;
const pauses = { firstMs: 800, maxMs: 30_000 };
const collection = `/api/v1/namespaces/${namespace}/configmaps`;

interface Way {
  readonly name: string;
  readonly path: string;
  readonly opening: string;
  readonly closing: string;
  /** Text that ends the items. */
  readonly end: string;
  /** The objects in the text of the items. */
  parse(items: string): readonly unknown[];
}

const ways: readonly Way[] = [
  {
    name: 'list',
    path: `${collection}?resourceVersion=0`,
    opening: '"items":[',
    closing: ']}',
    end: ']}',
    parse: (items) => JSON.parse(`[${items}]`) as unknown[],
  },
  {
    name: 'streaming list',
    path: `${collection}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    opening: '',
    closing: 'k8s.io/initial-events-end',
    end: '{"type":"BOOKMARK"',
    parse: (items) =>
      items
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { object: unknown }).object),
  },
];

interface Settings {
  readonly informers: number;
  readonly objects: number;
  readonly bytes: number;
  readonly seconds: number;
}

function contentOf(bytes: number): string {
  return 'a line of a very large configuration\n'.repeat(Math.ceil(bytes / 37)).slice(0, bytes);
}

async function fill({ client }: Cluster, { objects, bytes }: Settings): Promise<void> {
  const data = { content: contentOf(bytes) };
  for (let index = 0; index < objects; index++)
    await client(configMaps).create({ metadata: { namespace, name: `large-${String(index).padStart(4, '0')}` }, data });
}

interface Reader {
  onData(data: Buffer, start: number, end: number): boolean;
  /** Whether it has all that it wants; asked after each piece, and at the end of the answer. */
  isComplete(hasEnded: boolean): boolean;
}

interface Connection {
  /** Resolves when the reader is complete; rejects with the error. */
  ask(path: string, reader: Reader): Promise<void>;
  close(): void;
}

/** All connections read into this buffer, one after the other. */
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

async function connect({ cluster }: Session): Promise<Connection> {
  const { hostname: host, port } = new URL(cluster.kubeConfig.getCurrentCluster()?.server ?? '');
  const credentials: tls.ConnectionOptions = {};
  await cluster.kubeConfig.applyToHTTPSOptions(credentials);
  let [onRead, onClose]: [(length: number, bytes: Buffer) => void, (error: Error) => void] = [() => {}, () => {}];
  const onread = {
    buffer: sharedBuffer,
    callback(length: number, bytes: Uint8Array): boolean {
      onRead(length, bytes as Buffer);
      return true;
    },
  };
  // The types lack the options of net.connect, which tls.connect takes too.
  const options = { ...credentials, host, port: Number(port), ALPNProtocols: ['http/1.1'], onread };
  const socket = tls.connect(options as tls.ConnectionOptions);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  socket.on('error', (error) => onClose(error));
  socket.on('end', () => socket.destroy());
  socket.on('close', () => onClose(new Error('the connection was closed')));
  return {
    ask: (path, reader) =>
      new Promise((resolve, reject) => {
        const fail = (message: string) => {
          reject(new Error(message));
          socket.destroy();
        };
        const parser = new HTTP1Parser({
          onStatus: (status) => void (status === 200 || fail(`answered with ${status}`)),
          onData(data, start, end) {
            if (!reader.onData(data, start, end)) fail('the answer is not what the others got');
            else if (reader.isComplete(false)) resolve();
          },
          onEnd: () => (reader.isComplete(true) ? resolve() : fail('the answer ended early')),
        });
        onRead = (length, bytes) => parser.read(bytes, length);
        onClose = reject;
        socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\r\n`);
      }),
    close: () => socket.destroy(),
  };
}

/** Reads it once and looks into it. */
async function readExpected(session: Session, way: Way, { objects, bytes }: Settings): Promise<ExpectedBody> {
  const connection = await connect(session);
  const pieces: Buffer[] = [];
  let last = '';
  await connection.ask(way.path, {
    onData(data, start, end) {
      pieces.push(Buffer.from(data.subarray(start, end)));
      last = last.slice(-way.closing.length) + data.toString('latin1', start, end);
      return true;
    },
    isComplete: (hasEnded) => hasEnded || (way.opening === '' && last.includes(way.closing)),
  });
  connection.close();
  const body = Buffer.concat(pieces);
  const start = way.opening === '' ? 0 : body.indexOf(way.opening) + way.opening.length;
  const items = body.subarray(start, body.lastIndexOf(way.end));
  const content = contentOf(bytes);
  const isWhole = (object: unknown) => (object as { data?: { content?: string } }).data?.content === content;
  const found = way.parse(items.toString()).filter(isWhole).length;
  if (found !== objects) throw new Error(`the first ${way.name} has ${found} of ${objects} objects`);
  return { opening: way.opening, items, closing: way.closing };
}

interface Progress {
  bytes: number;
  tries: number;
  readonly syncedMs: number[];
  readonly problems: Map<string, number>;
}

/** One informer: repeats its requests until it has everything. */
async function sync(session: Session, first: Connection, { path }: Way, expected: ExpectedBody, progress: Progress): Promise<Connection> {
  let connection = first;
  for (let pauseMs = pauses.firstMs; ; pauseMs = Math.min(2 * pauseMs, pauses.maxMs)) {
    const comparison = new BodyComparison(expected);
    progress.tries++;
    try {
      await connection.ask(path, {
        onData(data, start, end) {
          progress.bytes += end - start;
          return comparison.read(data, start, end);
        },
        isComplete: () => comparison.isComplete,
      });
      return connection;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      progress.problems.set(problem, (progress.problems.get(problem) ?? 0) + 1);
      connection.close();
      await delay(pauseMs * (1 + Math.random()), undefined, { ref: false });
      connection = await connect(session);
    }
  }
}

async function connectAll(session: Session, count: number): Promise<Connection[]> {
  const connections: Connection[] = [];
  while (connections.length < count) {
    const wanted = Math.min(handshakesAtOnce, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: wanted }, () => connect(session)))));
  }
  return connections;
}

async function measure(session: Session, way: Way, settings: Settings): Promise<boolean> {
  const { informers, seconds: limitSeconds } = settings;
  const expected = await readExpected(session, way, settings);
  const connections = await connectAll(session, informers);
  const server = () => (session.pid === undefined ? Number.NaN : memoryOf(session.pid).residentMiB);
  const serverCPU = () => (session.pid === undefined ? Number.NaN : cpuSecondsOf(session.pid));
  const before = { residentMiB: server(), serverCPU: serverCPU(), machine: machineBusySeconds(), own: process.cpuUsage() };
  const progress: Progress = { bytes: 0, tries: 0, syncedMs: [], problems: new Map() };
  let [peakMiB, peakSocketsMiB] = [before.residentMiB, 0];
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  const all = connections.map(async (connection, index) => {
    connections[index] = await sync(session, connection, way, expected, progress);
    progress.syncedMs.push(elapsedMs());
  });
  let isOver = false;
  void Promise.all(all).then(() => (isOver = true));
  for (let reports = 1; !isOver && elapsedMs() < limitSeconds * 1000; ) {
    await delay(sampleEveryMs);
    peakMiB = Math.max(peakMiB, server());
    peakSocketsMiB = Math.max(peakSocketsMiB, socketMiB());
    if (elapsedMs() < reports * reportEveryMs) continue;
    reports++;
    console.error(
      `  ${(elapsedMs() / 1000).toFixed(0)} s: ${progress.syncedMs.length} of ${informers}, ${(progress.bytes / 1e9).toFixed(1)} GB, ${server().toFixed(0)} MiB`,
    );
  }
  const seconds = elapsedMs() / 1000;
  const own = process.cpuUsage(before.own);
  for (const connection of connections) connection.close();
  const gigabytes = progress.bytes / 1e9;
  const { p50Ms } = latenciesOf(progress.syncedMs);
  const first = quantile(progress.syncedMs, 0) / 1000;
  const serverSeconds = serverCPU() - before.serverCPU;
  const ownSeconds = (own.user + own.system) / 1e6;
  const others = (machineBusySeconds() - before.machine - serverSeconds - ownSeconds) / seconds;
  console.log(
    [
      `${way.name}: ${progress.syncedMs.length} of ${informers} informers have ${settings.objects} objects of ${settings.bytes / 1000} kB after ${seconds.toFixed(1)} s`,
      `the first after ${first.toFixed(1)} s, half of them after ${(p50Ms / 1000).toFixed(1)} s`,
      `${gigabytes.toFixed(1)} GB, ${((gigabytes * 1000) / seconds).toFixed(0)} MB/s, ${progress.tries} tries`,
      `processor time per GB: server ${(serverSeconds / gigabytes).toFixed(2)} s, informers ${(ownSeconds / gigabytes).toFixed(2)} s; other processes used ${(others * 100).toFixed(0)} % of a processor`,
      `resident memory of the server ${before.residentMiB.toFixed(0)} MiB before, at most ${peakMiB.toFixed(0)} MiB; in the kernel's socket buffers at most ${peakSocketsMiB.toFixed(0)} MiB`,
      ...[...progress.problems].map(([what, count]) => `${count}× ${what}`),
    ].join('\n  '),
  );
  return progress.syncedMs.length === informers;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      informers: { type: 'string', default: '1000' },
      objects: { type: 'string', default: '400' },
      kilobytes: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '3000' },
      start: { type: 'string', default: 'kubets' },
      target: { type: 'string' },
    },
  });
  const settings: Settings = {
    informers: Number(values.informers),
    objects: Number(values.objects),
    bytes: Number(values.kilobytes) * 1000,
    seconds: Number(values.seconds),
  };
  const session = await openSession(values.target === undefined ? parseStartedTarget(values.start) : parseRunningTarget(values.target));
  try {
    await fill(session.cluster, settings);
    for (const way of ways) if (!(await measure(session, way, settings))) process.exitCode = 1;
  } finally {
    await session.close();
  }
}

await main();
