import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { ControllerSetup } from '../runtime/define-controller.ts';
import { discoverResources } from '../runtime/discover-resources.ts';
import type { Collector } from './collector.ts';

interface Following {
  readonly collector: Collector;
  isCollectable(resource: ResourceDefinition): boolean;
}

/** How often it is looked for kinds of other API servers that came or went; custom kinds are looked for when they do. */
const discoveryPeriodMs = 30_000;
/** Changes of definitions within this time are handled together. */
const gatherMs = 100;

interface Discovered {
  readonly resource: ResourceDefinition;
  readonly stop: () => void;
}

/**
 * Follows the objects of custom kinds and of aggregated API servers, which are found by discovery. Each resource has its own informer,
 * which ends when the kind is removed.
 */
export async function followDiscovered(setup: ControllerSetup, { collector, isCollectable }: Following): Promise<void> {
  const { client, signal, logger } = setup;
  const builtIn = new Set(catalog.map(groupResource));
  const followed = new Map<string, Discovered>();
  const alarm = createAlarm(setup);
  const replaced = new Set<string>();
  watchDefinitions(setup, { onNew: (name) => replaced.add(name), onChange: alarm.ring });
  while (!signal.aborted) {
    try {
      await alarm.next();
      const isReplaced = new Set(replaced);
      replaced.clear();
      const { resources, failures } = await discoverResources(client, signal);
      const found = new Map(
        resources.filter((each) => !builtIn.has(groupResource(each)) && isCollectable(each)).map((each) => [groupResource(each), each]),
      );
      for (const [name, { resource, stop }] of followed) {
        const now = found.get(name);
        const isSilent = failures.some(({ groupVersion }) => groupVersion === `${resource.group}/${resource.version}`);
        if (isSilent || (now?.version === resource.version && !isReplaced.has(name))) continue;
        stop();
        followed.delete(name);
        collector.unfollow(resource);
      }
      for (const [name, resource] of found) if (!followed.has(name)) followed.set(name, follow(setup, collector, resource));
    } catch (error) {
      if (!signal.aborted) logger.warn('kinds could not be discovered', { error });
    }
  }
}

function follow(
  { client, clock, random, logger, signal }: ControllerSetup,
  collector: Collector,
  resource: ResourceDefinition,
): Discovered {
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Error('the kind is not served any more'));
  const informers = createInformerFactory({ client, clock, random, logger });
  collector.follow(resource, informers);
  const until = AbortSignal.any([signal, stopping.signal]);
  informers.run(until).catch((error: unknown) => until.aborted || logger.error('a kind cannot be followed', { error }));
  return { resource, stop };
}

interface DefinitionHandler {
  /** Called when a definition is added, possibly in place of another one: what was cached of objects of its kind is no longer valid. */
  onNew(name: string): void;
  /** A kind is served from now on, or otherwise, or not any more. */
  onChange(): void;
}

function watchDefinitions(setup: ControllerSetup, { onNew, onChange }: DefinitionHandler): void {
  setup.informer(customResourceDefinitions).addHandler({
    onAdd({ metadata }) {
      onNew(metadata.name ?? '');
      onChange();
    },
    onUpdate(definition, old) {
      const isEstablished = (each: typeof definition) => isConditionTrue(each.status?.conditions ?? [], 'Established');
      if (definition.metadata.generation !== old.metadata.generation || isEstablished(definition) !== isEstablished(old)) onChange();
    },
    onDelete: onChange,
  });
}

interface Alarm {
  ring(): void;
  /** Resolves a moment after it was rung, or when the period is over. */
  next(): Promise<void>;
}

function createAlarm({ clock, signal }: Pick<ControllerSetup, 'clock' | 'signal'>): Alarm {
  let isRung = false;
  let wake: () => void = () => undefined;
  signal.addEventListener('abort', () => wake(), { once: true });
  const sleepUntilWoken = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = clock.setTimer(ms, resolve, { background: true });
      wake = () => {
        timer.cancel();
        resolve();
      };
      if (signal.aborted) wake();
    });
  return {
    ring() {
      isRung = true;
      wake();
    },
    async next() {
      if (!isRung) await sleepUntilWoken(discoveryPeriodMs);
      if (!isRung) return;
      wake = () => undefined;
      await new Promise<void>((resolve) => {
        clock.setTimer(gatherMs, resolve, { background: true });
      });
      isRung = false;
    },
  };
}
