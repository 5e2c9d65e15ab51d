import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { readBody } from '../../../api/client/read-body.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { openEmbeddedStorage } from '../../storage/embedded/embedded-storage.ts';
import { connectEtcdStorage } from '../../storage/etcd/etcd-storage.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import type { Storage } from '../../storage/storage.ts';
import { startEtcd } from '../../storage/testing/etcd-process.ts';
import { createFaultyStorage, refusedMessage } from '../../storage/testing/faulty-storage.ts';

/** An empty store for the servers of one suite. */
export interface TestStore {
  readonly storage: Storage;
  /** Repeats requests that the store has refused, as a client does that wants an answer. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  /** Ends the store and its data; servers are closed before. */
  close(): Promise<void>;
}

const storeNames = ['memory', 'embedded', 'lagging', 'failing', 'etcd'] as const;
type StoreName = (typeof storeNames)[number];

interface StoreKind {
  readonly name: StoreName;
  /** Why it cannot be had here. */
  readonly missing?: string;
  open(): Promise<TestStore>;
}

const clock = systemClock;
const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

const storeKinds: readonly StoreKind[] = [
  {
    name: 'memory',
    async open() {
      const storage = createMemoryStorage({ clock });
      return { storage, close: () => storage.close() };
    },
  },
  {
    name: 'embedded',
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'kubets-store-'));
      const storage = await openEmbeddedStorage({ directory, clock, logger: silentLogger, processID: process.pid });
      return { storage, close: () => storage.close().then(() => rm(directory, { recursive: true })) };
    },
  },
  {
    name: 'lagging',
    async open() {
      const inner = createMemoryStorage({ clock });
      const faults = { late: 0.7, lateMs: 12, slow: 0.1, slowMs: 2 };
      const { storage } = createFaultyStorage(inner, { random: createSeededRandom(1), clock, faults });
      return { storage, close: () => inner.close() };
    },
  },
  {
    name: 'failing',
    async open() {
      const inner = createMemoryStorage({ clock });
      const faults = { refused: 0.1, late: 0.2, lateMs: 3 };
      const { storage } = createFaultyStorage(inner, { random: createSeededRandom(1), clock, faults });
      return { storage, wrapTransport: repeatingRefused, close: () => inner.close() };
    },
  },
  {
    name: 'etcd',
    ...(hasEtcd ? {} : { missing: 'there is no program etcd (Debian: apt-get install etcd-server)' }),
    async open() {
      const etcd = await startEtcd();
      const storage = await connectEtcdStorage({ endpoints: [etcd.endpoint], clock, logger: silentLogger });
      return { storage, close: () => storage.close().then(() => etcd.dispose()) };
    },
  },
];

/**
 * Declares a suite for each kind of store: in memory, embedded, with watches that lag, with calls that fail, and in a real
 * etcd. `body` declares hooks and tests; the store is there from the first `before` on.
 */
export function describeOnEachStore(
  title: string,
  body: (store: () => TestStore) => void,
  wanted: readonly StoreName[] = storeNames,
): void {
  for (const kind of storeKinds.filter(({ name }) => wanted.includes(name))) {
    const name = `${title} (${kind.name} store)`;
    if (kind.missing !== undefined) {
      describe.skip(`${name}: ${kind.missing}`, () => body(() => assertOpen(undefined)));
      continue;
    }
    describe(name, () => {
      let opened: TestStore | undefined;
      before(async () => {
        opened = await kind.open();
      });
      body(() => assertOpen(opened));
      after(() => opened?.close());
    });
  }
}

function assertOpen(store: TestStore | undefined): TestStore {
  if (!store) throw new Error('the store is not open yet');
  return store;
}

const maxRepetitions = 50;

/** Repeats requests that the store has refused with an error that guarantees that nothing was written. */
function repeatingRefused(transport: Transport): Transport {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const response = await transport(request);
      if (response.status < 500 || response.body.kind === 'stream' || attempt === maxRepetitions) return response;
      const bytes = await readBody(response.body);
      if (!new TextDecoder().decode(bytes).includes(refusedMessage)) return { ...response, body: { kind: 'bytes', bytes } };
    }
  };
}
