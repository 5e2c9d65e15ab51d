import { sleep } from '../../../api/base/clock.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import type { Controller, ControllerSetup } from '../runtime/define-controller.ts';
import { discoverResources } from '../runtime/discover-resources.ts';
import { Collector } from './collector.ts';
import { rules } from './rbac.ts';

/** How often it is looked for kinds that came since. */
const discoveryPeriodMs = 30_000;

/** Events are too many, have no dependents, and go by themselves. */
const ignored: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);

/** Deletes objects whose owners are gone, and carries out foreground deletion and orphaning. */
export const garbageCollector: Controller = {
  name: 'garbage-collector-controller',
  account: 'generic-garbage-collector',
  component: 'garbage-collector-controller',
  workers: 20,
  rules,
  start(setup) {
    const collector = new Collector(setup);
    for (const resource of catalog) if (isCollectable(resource) && resource.storageVersion === undefined) collector.follow(resource);
    void followNewKinds(setup, collector);
    return (key) => collector.reconcile(key);
  },
};

function isCollectable(resource: ResourceDefinition): boolean {
  const { verbs } = resource;
  return ['delete', 'list', 'watch'].every((verb) => (verbs as readonly string[]).includes(verb)) && !ignored.has(groupResource(resource));
}

/** Custom resources and aggregated APIs are found by asking. */
async function followNewKinds({ client, clock, signal, logger }: ControllerSetup, collector: Collector): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(clock, discoveryPeriodMs, signal);
      const { resources } = await discoverResources(client, signal);
      for (const resource of resources) if (isCollectable(resource)) collector.follow(resource);
    } catch (error) {
      if (!signal.aborted) logger.warn('kinds could not be discovered', { error });
    }
  }
}
