import type { BenchResource } from '../bench-resource.ts';
import { customResources } from '../custom-kinds.ts';
import { createTemplate, namespace, objectTemplate, patchTemplate } from '../objects.ts';
import { measureRequests } from './requests.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { measureWatch } from './watch.ts';

const watched = 100;

/** The operations of `requests` on a small and a large custom kind, and watches of them. */
export const customObjects: Scenario = {
  name: 'custom-objects',
  does: 'the same for custom kinds of 6 and of 200 fields, and watches of them',
  store: 'empty',
  async run(context) {
    for (const resource of [customResources.knobs, customResources.forms]) {
      await measureRequests(context, resource);
      await measureWatches(context, resource);
    }
  },
};

async function measureWatches(context: ScenarioContext, resource: BenchResource): Promise<void> {
  const { session, settings } = context;
  const objects = {
    kind: 'requests',
    endpoint: session.endpoint,
    protocol: 'h1',
    concurrency: 16,
    warmupSeconds: 0,
    seconds: 600,
    first: 0,
    count: watched,
    cycle: false,
  } as const;
  await context.observe({ ...objects, template: createTemplate(resource) });
  const update = patchTemplate(resource);
  for (const watchers of settings.watchers)
    for (const protocol of settings.protocols) {
      const list = (await session.cluster.request('GET', resource.collection(namespace), { query: 'limit=1' })).json();
      const { resourceVersion } = (list as { readonly metadata: { readonly resourceVersion: string } }).metadata;
      const path = `${resource.collection(namespace)}?watch=true&resourceVersion=${resourceVersion}`;
      await measureWatch(context, { kind: resource.plural, watchers, protocol, path, update, objects: watched });
    }
  await context.observe({ ...objects, template: objectTemplate('DELETE', resource) });
}
