import type { Protocol, RequestTemplate } from '../load/task.ts';
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
        const { resourceVersion, pod } = await readShard(context);
        await measureWatch(context, {
          kind: 'pods',
          watchers,
          protocol,
          path: `${podsOfShard(shard)}?watch=true&resourceVersion=${resourceVersion}`,
          update: updateTemplate(benchResources.pods, pod, shardNamespace(shard)),
          objects: Math.min(objects, podsPerShard(context.settings.pods)),
        });
      }
  },
};

interface WatchLoad {
  /** As the report names it. */
  readonly kind: string;
  readonly watchers: number;
  readonly protocol: Protocol;
  readonly path: string;
  readonly update: RequestTemplate;
  readonly objects: number;
}

/** A burst of updates of objects that are watched, and then single ones. */
export async function measureWatch(context: ScenarioContext, load: WatchLoad): Promise<void> {
  const { watchers, protocol, path: watchPath, update } = load;
  const observation = await context.observe({
    kind: 'watch',
    endpoint: context.session.endpoint,
    protocol,
    watchers,
    watchPath,
    update,
    objects: load.objects,
    burst: { updates: Math.min(maxUpdates, Math.ceil(deliveries / watchers)), writers },
    single,
    timeoutSeconds: 60,
  });
  const { count, elapsedSeconds, latencies, serverCPUSeconds, remarks } = observation;
  const subject = `events of ${load.kind} to ${watchers} watches`;
  const serverCPUPerEvent = serverCPUSeconds === undefined ? undefined : (serverCPUSeconds / (count + single * watchers)) * 1e6;
  context.record(
    { subject, load: protocol },
    { eventsPerSecond: count / elapsedSeconds, reachAllP50: latencies.p50Ms, reachAllP99: latencies.p99Ms, serverCPUPerEvent },
  );
  context.remark(`${subject} ${protocol}`, remarks);
}

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
