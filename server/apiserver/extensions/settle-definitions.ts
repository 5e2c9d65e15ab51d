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
const writesAtOnce = 16;

/**
 * Writes the status of CustomResourceDefinitions, and deletes the objects of definitions that are being deleted, until the signal is
 * aborted. Several servers on one store may do it at the same time: each write is bound to the state that was read.
 */
export async function settleDefinitions(dependencies: SettleDependencies, signal: AbortSignal): Promise<void> {
  const { followed, clock } = dependencies;
  const queue = createQueue();
  const written = new Map<string, CRD>();
  const finishing = new Set<string>();
  /** The states that are being written, which names are taken by already. */
  const planned = new Map<string, CRD>();
  const writing = new Set<Promise<void>>();
  const groups = new Map<string, Set<string>>();
  const newest = (name: string) => newerOf(followed.known.get(name), written.get(name));
  const note = (name: string) => {
    const group = groupOf(name);
    const names = groups.get(group) ?? new Set<string>();
    groups.set(group, names);
    if (followed.known.has(name)) names.add(name);
    else {
      names.delete(name);
      written.delete(name);
      if (names.size === 0) groups.delete(group);
    }
    queue.add(name);
    for (const other of names) if (isRefused(followed.known.get(other))) queue.add(other);
  };
  followed.onChange((names) => names.forEach(note));
  for (const name of followed.known.keys()) note(name);
  const retries = createRetries(dependencies, queue.add, signal);
  for await (const name of queue.names(signal)) {
    const crd = newest(name);
    if (!crd) continue;
    if (crd.metadata.deletionTimestamp && crd.metadata.finalizers?.includes(cleanupFinalizer)) {
      if (finishing.has(name)) continue;
      finishing.add(name);
      // It takes as long as the finalizers of the objects do, and must not hold up other definitions.
      void finishDefinition(name, dependencies, signal)
        .then(() => retries.end(name))
        .catch((error: unknown) => signal.aborted || retries.later(name, error))
        .finally(() => finishing.delete(name));
      continue;
    }
    // It is handled again when the write arrives in the cache.
    if (planned.has(name)) continue;
    const others = [...(groups.get(groupOf(name)) ?? [])].flatMap((other) => planned.get(other) ?? newest(other) ?? []);
    const status = planDefinitionStatus(crd, others, clock.nowMs());
    if (status === undefined) continue;
    planned.set(name, { ...crd, status });
    const write = writeStatus(dependencies.client, crd, status)
      .then((result) => {
        written.set(name, result);
        retries.end(name);
      })
      .catch((error: unknown) => {
        // It was changed or deleted meanwhile: the new state will be handled.
        if (!signal.aborted && !hasReason(error, 'Conflict') && !hasReason(error, 'NotFound')) retries.later(name, error);
      })
      .finally(() => {
        planned.delete(name);
        writing.delete(write);
        queue.add(name);
      });
    writing.add(write);
    if (writing.size >= writesAtOnce) await Promise.race(writing);
  }
  await Promise.all(writing);
}

interface Retries {
  later(name: string, error: unknown): void;
  end(name: string): void;
}

function createRetries({ clock, logger }: SettleDependencies, retry: (name: string) => void, signal: AbortSignal): Retries {
  const counts = new Map<string, number>();
  return {
    later(name, error) {
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      if (count > 0) logger.warn('the status of a CustomResourceDefinition cannot be written; trying again', { name, error });
      void sleep(clock, Math.min(lastRetryMs, firstRetryMs * 2 ** count), signal).then(
        () => retry(name),
        () => undefined,
      );
    },
    end: (name) => void counts.delete(name),
  };
}

/** A definition is named `<plural>.<group>`. */
const groupOf = (name: string): string => name.slice(name.indexOf('.') + 1);

/** Whether the names of the definition are refused because another definition of its group has them. */
function isRefused(crd: CRD | undefined): boolean {
  return crd?.status?.conditions?.some(({ type, status }) => type === 'NamesAccepted' && status === 'False') ?? false;
}

function writeStatus(client: Client, crd: CRD, status: CustomResourceDefinitionStatus): Promise<CustomResourceDefinition> {
  return client(customResourceDefinitions).updateStatus({ ...mutableCopy<CustomResourceDefinition>(crd), status });
}

function newerOf(followed: CRD | undefined, written: CRD | undefined): CRD | undefined {
  if (!followed || !written || followed.metadata.uid !== written.metadata.uid) return followed;
  return Number(written.metadata.resourceVersion) > Number(followed.metadata.resourceVersion) ? written : followed;
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
