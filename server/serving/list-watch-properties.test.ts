import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { type Random, randomInt } from '../../api/base/random.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { createHTTPTransport, type HTTPTransport } from '../../api/client/http-transport.ts';
import { readBody } from '../../api/client/read-body.ts';
import { fuzzRuns, fuzzSeed } from '../../api/schema/testing/fuzz-runs.ts';
import { openEmbeddedStorage } from '../storage/embedded/embedded-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { Follower, type Followed } from './testing/follow-pods.ts';
import { startServedServer, type ServedServer } from './testing/start-served-server.ts';

const namespaces = ['default', 'other'];
const writesPerRound = 25;

const followed: readonly Followed[] = [
  { path: '/api/v1/pods', query: '', encoding: 'json', begins: 'list' },
  { path: '/api/v1/pods', query: '', encoding: 'protobuf', begins: 'stream' },
  { path: '/api/v1/namespaces/default/pods', query: '', encoding: 'protobuf', begins: 'pages' },
  { path: '/api/v1/pods', query: 'labelSelector=app%3Da', encoding: 'json', begins: 'stream' },
  { path: '/api/v1/namespaces/other/pods', query: 'labelSelector=app%20in%20(a,b),!gone', encoding: 'json', begins: 'pages' },
  { path: '/api/v1/pods', query: 'fieldSelector=spec.nodeName%3Dn1', encoding: 'json', begins: 'list' },
  { path: '/api/v1/pods', query: 'fieldSelector=spec.nodeName%3Dn1', encoding: 'protobuf', begins: 'list' },
  {
    path: '/api/v1/pods',
    query: 'fieldSelector=status.phase!%3DFailed,metadata.name!%3Dp3&labelSelector=app',
    encoding: 'json',
    begins: 'list',
  },
];

/** A server on a store in a directory, behind sockets, that can be started again with more or less of what it holds. */
class Target {
  readonly #directory: string;
  #storage: Storage | undefined;
  #served: ServedServer | undefined;
  #connection: HTTPTransport | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async start(): Promise<void> {
    this.#storage ??= await openEmbeddedStorage({
      directory: this.#directory,
      clock: systemClock,
      logger: silentLogger,
      processID: process.pid,
    });
    // Small, so that watches come from the store's history too.
    this.#served = await startServedServer({ storage: this.#storage, logLimits: { entries: 40, heldBytes: 100_000 } });
    const { ca, cert, key } = await this.#served.credentials();
    this.#connection = createHTTPTransport({
      server: `https://${this.#served.host}`,
      ca,
      certificate: cert,
      key,
      clock: systemClock,
    });
  }

  connect = (): HTTPTransport['transport'] => {
    if (!this.#connection) throw new Error('the server is gone');
    return this.#connection.transport;
  };

  async stop(isStoreClosed: boolean): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    // The other way round, with both ends in one process, V8's sweeper of array buffers meets a broken list after some thirty
    // restarts: one byte was written into freed memory. It was seen only where the embedded store was closed and opened
    // again in the same process, which no command of kubets does.
    await this.#served?.close();
    connection?.close();
    this.#served = undefined;
    if (!isStoreClosed) return;
    await this.#storage?.close();
    this.#storage = undefined;
  }

  async compact(random: Random): Promise<void> {
    const revision = (await this.#storage?.currentRevision()) ?? 0;
    await this.#served?.server.compact(Math.max(1, revision - randomInt(random, 30)));
  }
}

/** One write; what is answered does not matter, as long as it is an answer of the API or the server is just gone. */
async function write(target: Target, random: Random): Promise<void> {
  const pick = <T>(from: readonly T[]): T => from[randomInt(random, from.length)] as T;
  const [namespace, name] = [pick(namespaces), `p${randomInt(random, 12)}`];
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const labels = { app: pick(['a', 'b', null]), gone: pick(['yes', null, null]) };
  const merge = 'application/merge-patch+json';
  switch (randomInt(random, 6)) {
    case 0:
    case 1:
      return send(target, 'POST', pods, 'application/json', podOf(name, { app: pick(['a', 'b']) }, pick(['n1', 'n2'])));
    case 2:
    case 3:
      return send(target, 'PATCH', `${pods}/${name}`, merge, { metadata: { labels } });
    case 4:
      return send(target, 'PATCH', `${pods}/${name}/status`, merge, { status: { phase: pick(['Running', 'Failed']) } });
    default:
      return send(target, 'DELETE', `${pods}/${name}`, 'application/json', { gracePeriodSeconds: 0 });
  }
}

function podOf(name: string, labels: Record<string, string>, nodeName: string): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } };
}

async function send(target: Target, method: string, pathname: string, contentType: string, body: object): Promise<void> {
  let answer: { status: number; text: string };
  try {
    const response = await target.connect()({
      method,
      path: pathname,
      query: '',
      headers: { accept: 'application/json', 'content-type': contentType },
      body: Buffer.from(JSON.stringify(body)),
      signal: new AbortController().signal,
    });
    answer = { status: response.status, text: Buffer.from(await readBody(response.body)).toString() };
  } catch {
    return; // the server is gone, or is just coming
  }
  assert.ok([200, 201, 404, 409, 500, 503].includes(answer.status), answer.text);
}

/** Disturbances while objects are written. */
const disturbances: Readonly<Record<string, (target: Target, random: Random) => Promise<void>>> = {
  nothing: async () => {},
  compaction: (target, random) => target.compact(random),
  'a new watch cache': async (target) => {
    await target.stop(false);
    await target.start();
  },
  'a new server after a compaction': async (target, random) => {
    await target.compact(random);
    await target.stop(true);
    await target.start();
  },
};

describe('list and replayed watch', () => {
  for (let run = 0; run < fuzzRuns(1, 25); run++) {
    const seed = fuzzSeed() + run;
    it(`are the list that follows, whatever is written, forgotten and restarted: seed ${seed}`, async function () {
      this.timeout(120_000);
      const random = createSeededRandom(seed);
      const directory = await mkdtemp(path.join(os.tmpdir(), 'kubets-list-watch-'));
      const target = new Target(directory);
      await target.start();
      await send(target, 'POST', '/api/v1/namespaces', 'application/json', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'other' },
      });
      const followers = followed.map((one) => new Follower(one, target.connect));
      try {
        let round = 0;
        for (const disturb of Object.values(disturbances)) {
          const work = async () => {
            for (let count = 0; count < writesPerRound; count++) await write(target, random);
          };
          await Promise.all([work(), disturb(target, random)]);
          const last = `sentinel-${round++}`;
          for (const namespace of namespaces)
            await send(target, 'POST', `/api/v1/namespaces/${namespace}/pods`, 'application/json', podOf(last, { app: 'a' }, 'n1'));
          await Promise.all(
            followers.map((follower) => follower.agrees(`${follower.followed.path.includes('/default/') ? 'default' : 'other'}/${last}`)),
          );
        }
        await Promise.all(followers.map((follower) => follower.stop()));
      } finally {
        await Promise.allSettled(followers.map((follower) => follower.stop()));
        await target.stop(true);
        await rm(directory, { recursive: true });
      }
    });
  }
});
