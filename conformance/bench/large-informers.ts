import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import type { Cluster } from '../framework/connect-cluster.ts';
import { namespace } from './objects.ts';
import { memoryOf } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { parseRunningTarget, parseStartedTarget } from './targets.ts';

/**
 * Very many informers of very large objects that all start at once, each on a connection of its own: how long until all
 * have everything, and how much memory the server takes for it. Once with lists, once with lists that are streamed by a
 * watch. They come as an administrator, whom no flow control holds back.
 *
 *   node conformance/bench/large-informers.ts [--informers 1000] [--objects 400] [--kilobytes 1000] [--seconds 1200]
 *                                             [--start kubets | --target name=KUBECONFIG,pid=N]
 */
const handshakesAtOnce = 20;
const sampleEveryMs = 250;
const collection = `/api/v1/namespaces/${namespace}/configmaps`;

interface Way {
  readonly name: string;
  readonly path: string;
  /** What stands at the end of what an informer begins with. */
  readonly end: string;
}

const ways: readonly Way[] = [
  { name: 'list', path: `${collection}?resourceVersion=0`, end: '\r\n0\r\n\r\n' },
  {
    name: 'streaming list',
    path: `${collection}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    end: 'k8s.io/initial-events-end',
  },
];

interface Settings {
  readonly informers: number;
  readonly objects: number;
  readonly bytes: number;
  readonly seconds: number;
}

async function fill({ client }: Cluster, { objects, bytes }: Settings): Promise<void> {
  const data = { content: 'a line of a very large configuration\n'.repeat(Math.ceil(bytes / 37)).slice(0, bytes) };
  for (let index = 0; index < objects; index++)
    await client(configMaps).create({ metadata: { namespace, name: `large-${String(index).padStart(4, '0')}` }, data });
}

async function connectAll({ cluster }: Session, count: number): Promise<tls.TLSSocket[]> {
  const server = cluster.kubeConfig.getCurrentCluster()?.server ?? '';
  const { hostname: host, port } = new URL(server);
  const options: tls.ConnectionOptions = {};
  await cluster.kubeConfig.applyToHTTPSOptions(options);
  const connectOne = () =>
    new Promise<tls.TLSSocket>((resolve, reject) => {
      const socket = tls.connect({ ...options, host, port: Number(port), ALPNProtocols: ['http/1.1'] });
      socket.once('secureConnect', () => resolve(socket)).once('error', reject);
    });
  const sockets: tls.TLSSocket[] = [];
  while (sockets.length < count) {
    const wanted = Math.min(handshakesAtOnce, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: wanted }, connectOne))));
  }
  return sockets;
}

/** Resolves with the bytes that were read when all is there. */
function sync(socket: tls.TLSSocket, { path, end }: Way, onBytes: (count: number) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let last = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the connection was closed after ${bytes} bytes`)));
    socket.on('data', (data: Buffer) => {
      if (bytes === 0 && !data.toString('latin1', 0, 32).startsWith('HTTP/1.1 200'))
        return reject(new Error(`answered with ${data.toString('latin1', 0, 200)}`));
      bytes += data.length;
      onBytes(data.length);
      const overlap = last + data.toString('latin1', 0, end.length);
      last = data.toString('latin1', Math.max(0, data.length - end.length));
      if (data.includes(end, 0, 'latin1') || overlap.includes(end)) resolve(bytes);
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\r\n`);
  });
}

async function measure(session: Session, way: Way, settings: Settings): Promise<boolean> {
  const { pid } = session;
  const sockets = await connectAll(session, settings.informers);
  const residentMiB = () => (pid === undefined ? Number.NaN : memoryOf(pid).residentMiB);
  const before = residentMiB();
  let [peak, total, synced] = [before, 0, 0];
  const startedMs = performance.now();
  const minimum = settings.objects * settings.bytes;
  const problems = new Map<string, number>();
  const all = sockets.map((socket) =>
    sync(socket, way, (count) => (total += count)).then(
      (bytes) => {
        if (bytes >= minimum) synced++;
        else problems.set(`only ${bytes} bytes`, (problems.get(`only ${bytes} bytes`) ?? 0) + 1);
      },
      (error: Error) => void problems.set(error.message, (problems.get(error.message) ?? 0) + 1),
    ),
  );
  let isOver = false;
  void Promise.all(all).then(() => (isOver = true));
  while (!isOver && performance.now() - startedMs < settings.seconds * 1000) {
    await delay(sampleEveryMs);
    peak = Math.max(peak, residentMiB());
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const remarks = [...problems].map(([what, count]) => `${count}× ${what}`);
  for (const socket of sockets) socket.destroy();
  console.log(
    `${way.name}: ${synced} of ${settings.informers} informers have ${settings.objects} objects of ${settings.bytes / 1000} kB ` +
      `after ${seconds.toFixed(1)} s (${(total / 1e9).toFixed(1)} GB, ${(total / 1e6 / seconds).toFixed(0)} MB/s); ` +
      `resident memory ${before.toFixed(0)} MiB before, at most ${peak.toFixed(0)} MiB${remarks.map((remark) => `; ${remark}`).join('')}`,
  );
  return synced === settings.informers;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      informers: { type: 'string', default: '1000' },
      objects: { type: 'string', default: '400' },
      kilobytes: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '1200' },
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
