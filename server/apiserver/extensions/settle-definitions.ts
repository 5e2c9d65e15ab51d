import { sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { cleanupFinalizer, planDefinitionStatus } from '../../../api/extensions/plan-definition-status.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from '../../../api/types/apiextensions-v1.ts';
import { type FinishDependencies, finishDefinition } from './finish-definition.ts';
import type { FollowedDefinitions } from './follow-definitions.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

interface SettleDependencies extends FinishDependencies {
  readonly followed: FollowedDefinitions;
  readonly logger: Logger;
}

const firstRetryMs = 100;
const lastRetryMs = 30_000;

/**
 * Writes the status of CustomResourceDefinitions, and deletes the objects of those that are being deleted, until the signal is
 * aborted. Several servers of one store may do it at the same time: each write is bound to the state that it was decided by.
 */
export async function settleDefinitions(dependencies: SettleDependencies, signal: AbortSignal): Promise<void> {
  const { followed, clock, logger } = dependencies;
  const queue = createQueue();
  const written = new Map<string, CRD>();
  const finishing = new Set<string>();
  const retries = new Map<string, number>();
  const newest = (name: string) => newerOf(followed.known.get(name), written.get(name));
  followed.onChange((names) => {
    for (const name of names) {
      for (const related of relatedTo(name, followed.known, written)) queue.add(related);
      if (!followed.known.has(name)) written.delete(name);
    }
  });
  for (const name of followed.known.keys()) queue.add(name);
  const retryLater = (name: string, error: unknown) => {
    const count = retries.get(name) ?? 0;
    retries.set(name, count + 1);
    if (count > 0) logger.warn('the status of a CustomResourceDefinition cannot be written; trying again', { name, error });
    void sleep(clock, Math.min(lastRetryMs, firstRetryMs * 2 ** count), signal).then(
      () => queue.add(name),
      () => undefined,
    );
  };
  for await (const name of queue.names(signal)) {
    const crd = newest(name);
    if (!crd) continue;
    if (crd.metadata.deletionTimestamp && crd.metadata.finalizers?.includes(cleanupFinalizer)) {
      if (finishing.has(name)) continue;
      finishing.add(name);
      // It takes as long as the finalizers of the objects do, and must not hold up other definitions.
      void finishDefinition(name, dependencies, signal)
        .then(() => retries.delete(name))
        .catch((error: unknown) => signal.aborted || retryLater(name, error))
        .finally(() => finishing.delete(name));
      continue;
    }
    const others = [...followed.known.keys()].flatMap((other) => newest(other) ?? []);
    const status = planDefinitionStatus(crd, others, clock.nowMs());
    if (status === undefined) continue;
    try {
      written.set(name, await writeStatus(dependencies.client, crd, status));
      retries.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      // Somebody has changed or deleted it meanwhile: the new state follows.
      if (!hasReason(error, 'Conflict') && !hasReason(error, 'NotFound')) retryLater(name, error);
    }
  }
}

function writeStatus(client: Client, crd: CRD, status: CustomResourceDefinitionStatus): Promise<CustomResourceDefinition> {
  return client(customResourceDefinitions).updateStatus({ ...mutableCopy<CustomResourceDefinition>(crd), status });
}

function newerOf(followed: CRD | undefined, written: CRD | undefined): CRD | undefined {
  if (!followed || !written || followed.metadata.uid !== written.metadata.uid) return followed;
  return Number(written.metadata.resourceVersion) > Number(followed.metadata.resourceVersion) ? written : followed;
}

/** The definition itself, and those of its group that wait for names that it may have let go. */
function* relatedTo(name: string, known: ReadonlyMap<string, CRD>, written: ReadonlyMap<string, CRD>): Generator<string> {
  yield name;
  const group = (known.get(name) ?? written.get(name))?.spec.group ?? name.slice(name.indexOf('.') + 1);
  for (const [other, { spec, status }] of known) {
    const naming = status?.conditions?.find(({ type }) => type === 'NamesAccepted');
    if (other !== name && spec.group === group && naming?.status === 'False') yield other;
  }
}

interface Queue {
  add(name: string): void;
  /** Each name once, in the order in which they came. */
  names(signal: AbortSignal): AsyncGenerator<string>;
}

function createQueue(): Queue {
  const waiting = new Set<string>();
  let wake: () => void = () => undefined;
  return {
    add(name) {
      waiting.add(name);
      wake();
    },
    async *names(signal) {
      signal.addEventListener('abort', () => wake(), { once: true });
      while (!signal.aborted) {
        for (const name of waiting) {
          waiting.delete(name);
          yield name;
          if (signal.aborted) return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (waiting.size > 0 || signal.aborted) resolve();
        });
      }
    },
  };
}
