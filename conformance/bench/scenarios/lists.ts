import { allPods, podsOfShard, podsPerShard, shardSelector } from './large-store.ts';
import { loadOf, recordRequests } from './record-requests.ts';
import type { Scenario } from './scenario.ts';

/** Seconds that lists of everything are asked for at least: one may take a second. */
const minSecondsOfAll = 5;
/** The maximum number of full lists at once; more is no realistic load. */
const maxListsOfAll = 16;

export const lists: Scenario = {
  name: 'lists',
  does: 'lists of --pods pods: the first 500, one namespace, by label, all',
  store: 'large',
  async run(context) {
    const { session, settings } = context;
    const found = podsPerShard(settings.pods);
    const cases = [
      { subject: `list pods, limit 500 of ${settings.pods}`, path: `${allPods}?limit=500` },
      { subject: `list pods, a namespace of ${found}`, path: podsOfShard(3) },
      { subject: `list pods by label, ${found} of ${settings.pods}`, path: `${allPods}?${shardSelector(7)}` },
      { subject: `list pods, all ${settings.pods}`, path: allPods, isAll: true },
    ];
    for (const { subject, path, isAll = false } of cases)
      for (const protocol of settings.protocols)
        for (const concurrency of settings.connections.filter((count) => !isAll || count <= maxListsOfAll)) {
          const observation = await context.observe({
            kind: 'requests',
            endpoint: session.endpoint,
            protocol,
            concurrency,
            template: { method: 'GET', path },
            warmupSeconds: isAll ? 0 : settings.warmupSeconds,
            seconds: isAll ? Math.max(settings.seconds, minSecondsOfAll) : settings.seconds,
            first: 0,
            count: 1,
            cycle: true,
          });
          recordRequests(context, subject, loadOf({ protocol, concurrency }), observation);
        }
  },
};
