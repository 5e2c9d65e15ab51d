import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import type { Controller } from '../runtime/define-controller.ts';
import { Collector } from './collector.ts';
import { followDiscovered } from './follow-discovered.ts';
import { rules } from './rbac.ts';

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
    void followDiscovered(setup, { collector, isCollectable });
    return (key) => collector.reconcile(key);
  },
};

function isCollectable(resource: ResourceDefinition): boolean {
  const { verbs } = resource;
  return ['delete', 'list', 'watch'].every((verb) => (verbs as readonly string[]).includes(verb)) && !ignored.has(groupResource(resource));
}
