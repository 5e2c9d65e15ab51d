import type { LoopWatch } from '../../api/base/loop-watch.ts';
import type { Logger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createEventRecorder } from '../../api/client/events/event-recorder.ts';
import type { InformerFactory } from '../../api/client/informers/informer.ts';
import { createAuthorizedInformers } from '../../api/client/informers/authorized-informers.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import type { Transport } from '../../api/client/transport.ts';
import type { UserInfo } from '../../api/meta/user-info.ts';
import { withRetries } from '../../api/client/with-retries.ts';
import { withUser } from '../../api/client/with-user.ts';
import type { APIServer } from '../apiserver/api-server.ts';
import { createWorkQueueMetrics } from '../apiserver/metrics/work-queue-metrics.ts';
import { candidateIdentity, leadWhileElected, readCandidateFacts } from './lead-while-elected.ts';
import type { Controller } from '../controllers/runtime/define-controller.ts';
import { runControllers } from '../controllers/runtime/run-controllers.ts';
import { inBatches } from '../../api/base/in-batches.ts';
import { schedulerPlugins } from '../scheduler/plugins/plugins.ts';
import { runScheduler } from '../scheduler/scheduler.ts';
import type { StorageChoice } from './store/open-storage.ts';

interface RunnerOptions {
  readonly storage: StorageChoice;
  readonly pkiDirectory: string;
  readonly leaderElect?: boolean;
  readonly logger: Logger;
}

/** Controllers or scheduler: runs until the signal is aborted. */
type Part = (informers: InformerFactory, signal: AbortSignal) => Promise<void>;
type Runner = (name: 'kube-controller-manager' | 'kube-scheduler', part: Part, signal: AbortSignal) => Promise<void>;

/** Runs controllers and scheduler: always, or while this control plane holds their leases. */
export async function createRunners(options: RunnerOptions, server: APIServer, controllers: readonly Controller[], loop: LoopWatch) {
  const { logger, pkiDirectory } = options;
  const isElected = options.leaderElect ?? options.storage.kind === 'etcd';
  const run: Runner = isElected
    ? createElectedRunner(server, candidateIdentity(await readCandidateFacts(pkiDirectory)), logger)
    : (_, part, signal) => part(server.informers, signal);
  const manager: Part = (informers, signal) => runControllerManager({ server, informers, controllers, logger, loop }, signal);
  const scheduler: Part = (informers, signal) => runSchedulerProcess({ server, informers, logger, loop }, signal);
  return {
    runManager: (signal: AbortSignal) => run('kube-controller-manager', manager, signal),
    runOwnScheduler: (signal: AbortSignal) => run('kube-scheduler', scheduler, signal),
  };
}

/** Elected parts have their own informers, which act as the part's user and end with its leadership. */
function createElectedRunner({ transport }: APIServer, identity: string, logger: Logger): Runner {
  const shared = { clock: systemClock, random: systemRandom };
  return (name, part, signal) => {
    const user = { name: `system:${name}`, groups: ['system:authenticated'] };
    const client = clientAs(transport, user, name);
    const partLogger = logger.with({ part: name });
    const lead = async (leading: AbortSignal) => {
      const informers = createInformerFactory({ client, ...shared, logger: partLogger });
      // The part asks for its informers before these start.
      const ended = part(informers, leading);
      await Promise.all([ended, informers.run(leading)]);
    };
    return leadWhileElected({ name, identity, client, ...shared, logger: partLogger, lead }, signal);
  };
}

/** A client in this process that waits, as all clients of Kubernetes do, when the server asks for it. */
function clientAs(transport: Transport, user: UserInfo, userAgent: string): Client {
  return createClient(withRetries(withUser(transport, user), systemClock), { userAgent });
}

/** The permission checks that are made in one turn of the event loop: each takes half a millisecond. */
const questionTurn = inBatches(16, (next) => void setImmediate(next));

function informersAs(
  shared: InformerFactory,
  client: Client,
  user: { readonly userName: string; readonly logger: Logger; readonly signal: AbortSignal },
): InformerFactory {
  return createAuthorizedInformers({ shared, client, clock: systemClock, nextTurn: questionTurn, ...user });
}

interface ManagerParts {
  readonly server: APIServer;
  readonly informers: InformerFactory;
  readonly controllers: readonly Controller[];
  readonly logger: Logger;
  readonly loop: LoopWatch;
}

function runControllerManager({ server, informers, controllers, logger, loop }: ManagerParts, signal: AbortSignal): Promise<void> {
  const partLogger = logger.with({ part: 'controllers' });
  const actAs = (user: UserInfo) => clientAs(server.transport, user, 'kube-controller-manager');
  return runControllers({
    controllers,
    clientFor: actAs,
    informersFor: (user) => informersAs(informers, actAs(user), { userName: user.name, logger: partLogger, signal }),
    clock: systemClock,
    random: systemRandom,
    logger: partLogger,
    recorderFor: (client, component) => createEventRecorder({ client, clock: systemClock, logger: partLogger, component }),
    onBegin: (controller, key) => loop.begins('controller', () => `${controller} ${key}`),
    onReconciled: createWorkQueueMetrics(server.metrics),
    signal,
  });
}

async function runSchedulerProcess(
  { server, informers, logger, loop }: Omit<ManagerParts, 'controllers'>,
  signal: AbortSignal,
): Promise<void> {
  const partLogger = logger.with({ part: 'scheduler' });
  const user: UserInfo = { name: 'system:kube-scheduler', groups: ['system:authenticated'] };
  const client = clientAs(server.transport, user, 'kube-scheduler');
  await runScheduler(
    {
      client,
      informers: informersAs(informers, client, { userName: user.name, logger: partLogger, signal }),
      recorder: createEventRecorder({ client, clock: systemClock, logger: partLogger, component: 'default-scheduler' }),
      clock: systemClock,
      random: systemRandom,
      logger: partLogger,
      plugins: schedulerPlugins,
      onBegin: (pod) => loop.begins('scheduler', () => pod),
    },
    signal,
  );
}
