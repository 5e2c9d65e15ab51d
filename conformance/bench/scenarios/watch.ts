import { benchResources, updateTemplate } from '../objects.ts';
import { podsOfShard, podsPerShard, shardNamespace } from './large-store.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Events that are delivered to all watches together in the burst. */
const deliveries = 200_000;
const maxUpdates = 1000;
const writers = 8;
const objects = 100;
const single = 50;
const shard = 0;

export const watch: Scenario = {
  name: 'watch',
  does: 'updates of pods that --watchers watches see: delivered events per second, and how long one event takes to the last watch',
  store: 'large',
  async run(context) {
    for (const watchers of context.settings.watchers)
      for (const protocol of context.settings.protocols) {
        const { endpoint } = context.session;
        const { resourceVersion, pod } = await readShard(context);
        const observation = await context.observe({
          kind: 'watch',
          endpoint,
          protocol,
          watchers,
          watchPath: `${podsOfShard(shard)}?watch=true&resourceVersion=${resourceVersion}`,
          update: updateTemplate(benchResources.pods, pod, shardNamespace(shard)),
          objects: Math.min(objects, podsPerShard(context.settings.pods)),
          burst: { updates: Math.min(maxUpdates, Math.ceil(deliveries / watchers)), writers },
          single,
          timeoutSeconds: 60,
        });
        const { count, elapsedSeconds, latencies, burstServerCPUSeconds } = {
          burstServerCPUSeconds: observation.serverCPUSeconds,
          ...observation,
        };
        const subject = `events of pods to ${watchers} watches`;
        context.record(
          { subject, load: protocol },
          {
            eventsPerSecond: count / elapsedSeconds,
            reachAllP50: latencies.p50Ms,
            reachAllP99: latencies.p99Ms,
            serverCPUPerEvent:
              burstServerCPUSeconds === undefined ? undefined : (burstServerCPUSeconds / (count + single * watchers)) * 1e6,
          },
        );
        context.remark(`${subject} ${protocol}`, observation.remarks);
      }
  },
};

interface PodListHead {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Record<string, unknown>[];
}

async function readShard({ session }: ScenarioContext): Promise<{ resourceVersion: string; pod: Record<string, unknown> }> {
  const list = (await session.cluster.request('GET', podsOfShard(shard), { query: 'limit=1' })).json() as PodListHead;
  const [pod] = list.items;
  if (!pod) throw new Error('there are no pods to update');
  return { resourceVersion: list.metadata.resourceVersion, pod: { apiVersion: 'v1', kind: 'Pod', ...pod } };
}
