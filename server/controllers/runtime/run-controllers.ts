import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import { createWorkQueue, type WorkQueue } from '../../../api/client/work-queue.ts';
import { formatKey, type KubeObject, parseKey } from '../../../api/meta/object.ts';
import { hasReason, StatusError } from '../../../api/meta/status.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { type Controller, type ControllerSetup, type Reconcile, TerminalError } from './define-controller.ts';

export interface ReconcileObservation {
  readonly controller: string;
  readonly outcome: 'success' | 'requeue' | 'error' | 'terminal';
  readonly durationMs: number;
  /** How long the key had been ready. */
  readonly waitedMs: number;
  readonly queueLength: number;
}

interface ControllersSettings {
  readonly controllers: readonly Controller[];
  /** Makes a client that acts as the user: by an in-process identity, by impersonation, or by the user's own token. */
  readonly clientFor: (user: UserInfo) => Client;
  /** Informers that act as the user; the composition root runs them. */
  readonly informersFor: (user: UserInfo) => InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly recorderFor: (client: Client, component: string) => EventRecorder;
  readonly signal: AbortSignal;
  /** Called when work on a key begins. */
  readonly onBegin?: (controller: string, key: string) => void;
  /** For metrics. */
  readonly onReconciled?: (observation: ReconcileObservation) => void;
}

/** The identity of a controller's service account, whether or not the account exists as an object. */
function controllerUser(account: string): UserInfo {
  return {
    name: `system:serviceaccount:kube-system:${account}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}

/** Runs controllers until the signal is aborted, and resolves when the last reconciliation has ended. */
export async function runControllers(settings: ControllersSettings): Promise<void> {
  await Promise.all(settings.controllers.map((controller) => runController(settings, controller)));
}

async function runController(settings: ControllersSettings, controller: Controller): Promise<void> {
  const { clock, signal } = settings;
  const logger = settings.logger.with({ controller: controller.name });
  const user = controllerUser(controller.account);
  const client = settings.clientFor(user);
  const informers = settings.informersFor(user);
  const waited = new Map<string, number>();
  const queue = createWorkQueue({ clock, onHandedOut: (key, waitedMs) => void waited.set(key, waitedMs) });
  const used = new Map<string, Informer<KubeObject>>();
  let isStarted = false;
  const idOf = (resource: ResourceDefinition) => `${groupResource(resource)}/${resource.version}`;

  const informer = <T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T> => {
    const namespace = controller.namespaces?.find(([one]) => idOf(one) === idOf(resource))?.[1];
    const shared = informers.informer(resource, namespace === undefined ? {} : { namespace });
    used.set(idOf(resource), shared as unknown as Informer<KubeObject>);
    return shared;
  };
  const setup: ControllerSetup = {
    client,
    informer,
    lister(resource) {
      const isDeclared = !isStarted || used.has(idOf(resource));
      if (!isDeclared) throw new TypeError(`${controller.name} did not declare that it reads ${groupResource(resource)}`);
      return informer(resource).lister;
    },
    clock,
    random: settings.random,
    logger,
    events: settings.recorderFor(client, controller.component),
    signal,
    enqueue(key, afterSeconds = 0) {
      if (afterSeconds > 0) queue.addAfter(formatKey(key), afterSeconds * 1000);
      else queue.add(formatKey(key));
    },
  };
  const reconcile = controller.start(setup);
  isStarted = true;
  const stop = () => queue.shutDown();
  if (signal.aborted) return stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all(Array.from(used.values(), (one) => one.synced(signal)));
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const work = () => runWorker(settings, controller, { queue, logger, reconcile, waited });
  await Promise.all(Array.from({ length: controller.workers }, work));
}

const minRestMs = 5;
const maxRestMs = 250;

interface WorkerParts {
  readonly queue: WorkQueue;
  readonly logger: Logger;
  readonly reconcile: Reconcile;
  readonly waited: Map<string, number>;
}

async function runWorker(settings: ControllersSettings, controller: Controller, parts: WorkerParts): Promise<void> {
  const { queue, waited } = parts;
  for (let key = await queue.get(); key !== undefined && !settings.signal.aborted; key = await queue.get()) {
    const startMs = settings.clock.monotonicMs();
    settings.onBegin?.(controller.name, key);
    const outcome = await handle(parts, key);
    const durationMs = settings.clock.monotonicMs() - startMs;
    const restMs = Math.min((controller.spacing ?? 0) * durationMs, maxRestMs);
    const handled = key;
    // Until it is done the key is not handed out again.
    if (restMs > minRestMs) settings.clock.setTimer(restMs, () => queue.done(handled), { background: true });
    else queue.done(key);
    settings.onReconciled?.({
      controller: controller.name,
      outcome,
      durationMs,
      waitedMs: waited.get(key) ?? 0,
      queueLength: queue.length(),
    });
    waited.delete(key);
  }
}

async function handle({ queue, logger, reconcile }: WorkerParts, key: string): Promise<ReconcileObservation['outcome']> {
  try {
    const { requeueAfterSeconds } = await reconcile(parseKey(key));
    queue.forget(key);
    if (requeueAfterSeconds === undefined) return 'success';
    queue.addAfter(key, requeueAfterSeconds * 1000);
    return 'requeue';
  } catch (error) {
    if (error instanceof TerminalError) {
      queue.forget(key);
      logger.error('gave up', { key, error });
      return 'terminal';
    }
    // A conflict means that the cache was behind; the next attempt sees the newer object.
    if (hasReason(error, 'Conflict')) logger.debug('will try again', { key, error });
    // The API's answer is enough for the log; the place in the controller where it was received does not matter at each attempt.
    else logger.warn('will try again', { key, error: error instanceof StatusError ? error.message : error });
    queue.addRateLimited(key);
    return 'error';
  }
}
