import assert from 'node:assert/strict';
import { type Logger, silentLogger } from '../../../api/base/logger.ts';
import { createManualClock, type ManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { formatKey } from '../../../api/meta/object.ts';
import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { type Controller, defineController, done, type ReconcileResult, requeueAfterSeconds, terminal } from './define-controller.ts';
import { type ReconcileObservation, runControllers } from './run-controllers.ts';

interface Running {
  readonly clock: ManualClock;
  readonly seen: ReconcileObservation[];
  create(name: string): Promise<void>;
}

async function run(controller: Controller, test: (running: Running) => Promise<void>, logger: Logger = silentLogger): Promise<void> {
  const server = new ObjectServer();
  const clock = createManualClock();
  const random = createSeededRandom(1);
  const client = createClient(server.transport);
  const stop = new AbortController();
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const informing = informers.run(stop.signal);
  const seen: ReconcileObservation[] = [];
  const ended = runControllers({
    controllers: [controller],
    clientFor: () => client,
    informersFor: () => informers,
    clock,
    random,
    logger,
    recorderFor: () => ({ event() {} }),
    signal: stop.signal,
    onReconciled: (observation) => void seen.push(observation),
  });
  try {
    await clock.advance(10);
    await test({
      clock,
      seen,
      async create(name) {
        await client(configMaps).create({ metadata: { namespace: 'default', name } });
        await clock.advance(0);
      },
    });
  } finally {
    stop.abort();
    await Promise.all([informing, ended]);
  }
}

function controllerOf(reconcile: (key: string) => Promise<ReconcileResult>, more: { spacing?: number } = {}): Controller {
  return defineController({
    name: 'test-controller',
    account: 'test-controller',
    for: configMaps,
    rules: [],
    reconcile: (key) => reconcile(formatKey(key)),
    ...more,
  });
}

describe('runControllers', () => {
  it('reconciles what is added, again after the time asked for', async () => {
    const keys: string[] = [];
    const controller = controllerOf(async (key) => (keys.push(key) === 1 ? requeueAfterSeconds(30) : done));
    await run(controller, async ({ clock, create, seen }) => {
      await create('a');
      assert.deepEqual(keys, ['default/a']);
      await clock.advance(29_999);
      assert.equal(keys.length, 1);
      await clock.advance(1);
      assert.deepEqual(
        seen.map(({ outcome }) => outcome),
        ['requeue', 'success'],
      );
    });
  });

  it('backs off from what fails, and drops what cannot be mended', async () => {
    let calls = 0;
    const controller = controllerOf(async () => {
      if (++calls < 4) throw new Error('not yet');
      throw terminal(new Error('never'));
    });
    await run(controller, async ({ clock, create, seen }) => {
      await create('a');
      for (const delayMs of [5, 10, 20]) {
        await clock.advance(delayMs - 1);
        const before = calls;
        await clock.advance(1);
        assert.equal(calls, before + 1);
      }
      await clock.advance(3_600_000);
      assert.deepEqual(
        seen.map(({ outcome }) => outcome),
        ['error', 'error', 'error', 'terminal'],
      );
    });
  });

  it('says what the API has answered, and where it was that something else went wrong', async () => {
    const told: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => void told.push(fields?.['error']), with: () => logger };
    const errors = [serviceUnavailable('later'), new TypeError('a mistake')];
    const controller = controllerOf(async () => {
      const error = errors.shift();
      if (error) throw error;
      return done;
    });
    const [, mistake] = errors;
    await run(
      controller,
      async ({ clock, create }) => {
        await create('a');
        await clock.advance(1000);
      },
      logger,
    );
    assert.deepEqual(told, ['later', mistake]);
  });

  it('lets a key rest for a multiple of what it took, and others go on', async () => {
    const keys: string[] = [];
    let clock: ManualClock | undefined;
    const controller = controllerOf(
      async (key) => {
        keys.push(key);
        const until = Promise.withResolvers<void>();
        clock?.setTimer(20, until.resolve);
        await until.promise;
        // Asks for itself at once, as a change that came meanwhile would.
        return keys.length === 1 ? requeueAfterSeconds(0.001) : done;
      },
      { spacing: 2 },
    );
    await run(controller, async ({ create, ...running }) => {
      clock = running.clock;
      await create('a');
      await clock.advance(20);
      await create('b');
      await clock.advance(39);
      assert.deepEqual(keys, ['default/a', 'default/b']);
      await clock.advance(1);
      assert.deepEqual(keys, ['default/a', 'default/b', 'default/a']);
      await clock.advance(100);
    });
  });

  it('does not read what was not declared', async () => {
    const controller = defineController({
      name: 'test-controller',
      account: 'test-controller',
      for: configMaps,
      rules: [],
      async reconcile(_key, { lister }) {
        assert.throws(() => lister(pods), /did not declare that it reads pods/);
        return done;
      },
    });
    await run(controller, async ({ create, clock, seen }) => {
      await create('a');
      await clock.advance(0);
      assert.deepEqual(
        seen.map(({ outcome }) => outcome),
        ['success'],
      );
    });
  });
});
