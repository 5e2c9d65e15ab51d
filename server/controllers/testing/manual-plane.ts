import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock, type ManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Controller } from '../runtime/define-controller.ts';
import { runControllers } from '../runtime/run-controllers.ts';

export interface ManualPlane {
  readonly client: Client;
  readonly clock: ManualClock;
  /** `object Reason` of each event. */
  readonly said: string[];
  finish(): Promise<void>;
}

/** Runs controllers over an in-memory store in virtual time, for tests of what takes minutes. */
export function startManualPlane(controllers: readonly Controller[]): ManualPlane {
  const server = new ObjectServer();
  const clock = createManualClock();
  server.nowText = () => formatTime(clock.nowMs());
  const random = createSeededRandom(1);
  const client = createClient(server.transport);
  const stop = new AbortController();
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const said: string[] = [];
  const informing = informers.run(stop.signal);
  const controlling = runControllers({
    controllers,
    clientFor: () => client,
    informersFor: () => informers,
    clock,
    random,
    logger: silentLogger,
    recorderFor: () => ({ event: (regarding, _type, reason) => void said.push(`${regarding.name} ${reason}`) }),
    signal: stop.signal,
  });
  return {
    client,
    clock,
    said,
    async finish() {
      stop.abort();
      await Promise.all([informing, controlling]);
    },
  };
}
