import assert from 'node:assert/strict';
import { sleep } from '../../api/base/clock.ts';
import { silentLogger } from '../../api/base/logger.ts';
import { type Random, randomInt } from '../../api/base/random.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import { roles } from '../../api/resources/rbac/v1/role.ts';
import { fuzzRuns, fuzzSeed } from '../../api/schema/testing/fuzz-runs.ts';
import { prefixEnd, type Storage } from '../storage/storage.ts';
import { createFaultyStorage, type FaultyStorage, type StorageFaults } from '../storage/testing/faulty-storage.ts';
import { createAPICaller } from './testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServerOn } from './testing/complete-server.ts';
import { createSharedStoreModel, rolePrefix, type TracedRole } from './testing/shared-store-model.ts';
import { describeOnEachStore } from './testing/test-stores.ts';
import { recordHistory } from './testing/write-history.ts';

const clock = systemClock;
const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const faults: StorageFaults = { refused: 0.01, lostAnswers: 0.04, lostRequests: 0.02, slow: 0.2, slowMs: 4, late: 0.7, lateMs: 25 };

interface SharedServer {
  readonly complete: CompleteServer;
  readonly view: FaultyStorage;
}

async function startServers(storage: Storage, random: Random): Promise<readonly SharedServer[]> {
  const servers: SharedServer[] = [];
  for (let index = 0; index < 2; index++) {
    const view = createFaultyStorage(storage, { random, clock });
    servers.push({ view, complete: await startCompleteServerOn({ storage: view.storage }) });
  }
  return servers;
}

describeOnEachStore(
  'two servers on one store',
  (store) => {
    for (let run = 0; run < fuzzRuns(1, 20); run++) {
      it(`no write is lost, done twice or told wrongly, whatever fails and lags (run ${run})`, async function () {
        this.timeout(60_000);
        const { storage } = store();
        const random = createSeededRandom(fuzzSeed() + run);
        const servers = await startServers(storage, random);
        const stop = new AbortController();
        const informers = servers.map(({ complete }) =>
          createInformerFactory({
            client: createClient(complete.server.transport, { user }),
            clock,
            random: systemRandom,
            logger: silentLogger,
          }),
        );
        const listers = informers.map((factory) => factory.informer(roles).lister);
        const informing = informers.map((factory) => factory.run(stop.signal));
        const start = await storage.currentRevision();
        const history = recordHistory<TracedRole>(storage, rolePrefix, start);
        const namespaces = [`shared-a${run}`, `shared-b${run}`];
        for (const name of namespaces)
          await createAPICaller(servers[0]?.complete.server.transport ?? assert.fail('no server'), user).post('/api/v1/namespaces', {
            metadata: { name },
          });
        const apis = servers.map(({ complete }) => createAPICaller(complete.server.transport, user));
        const model = createSharedStoreModel({ apis, storage, random, namespaces });
        for (const { view } of servers) view.setFaults(faults);
        const work = async (worker: number) => {
          for (let count = 0; count < 60; count++) await model.act(worker);
        };
        let isWorking = true;
        const compact = async () => {
          while (isWorking) {
            await sleep(clock, 20 + randomInt(random, 60));
            await storage.compact(Math.max(1, (await storage.currentRevision()) - randomInt(random, 20)));
          }
        };
        const compacting = compact();
        await Promise.all(Array.from({ length: 6 }, (_, worker) => work(worker)));
        isWorking = false;
        await compacting;
        for (const { view } of servers) view.setFaults({});
        await history.reach(await storage.currentRevision()).catch(() => undefined);
        const statuses = model.check(history);
        assert.ok((statuses.get(200) ?? 0) > 20 && (statuses.get(500) ?? 0) > 0, JSON.stringify([...statuses]));
        const stored = async () => {
          const { entries } = await storage.range({ start: rolePrefix, end: prefixEnd(rolePrefix) });
          return entries.map(({ key, modRevision }) => `${key.slice(rolePrefix.length)} ${modRevision}`).sort();
        };
        for (const lister of listers) {
          await eventually('the informer shows what is stored', async () => {
            const known = lister.list().map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`);
            return JSON.stringify(known.sort()) === JSON.stringify(await stored());
          });
        }
        stop.abort();
        await Promise.all([history.stop(), ...informing]);
        for (const { complete } of servers) await complete.close();
      });
    }
  },
  ['memory', 'etcd'],
);
