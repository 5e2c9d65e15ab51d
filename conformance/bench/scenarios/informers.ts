import { allPods, podsOfShard, podsPerShard, shardNamespaces } from './large-store.ts';
import type { Scenario } from './scenario.ts';

/** Informers of everything, as controllers have; each reads all pods. */
const informersOfAll = 10;

export const informers: Scenario = {
  name: 'informers',
  does: 'informers that all start at once: each lists its namespace, then watches; and some that list everything',
  store: 'large',
  async run({ session, settings, observe, record, remark }) {
    const namespaced = { paths: shardNamespaces().map((_, shard) => podsOfShard(shard)), pods: podsPerShard(settings.pods) };
    const cases = [
      ...settings.informers.map((count) => ({ ...namespaced, count })),
      { paths: [allPods], pods: settings.pods, count: informersOfAll },
    ];
    for (const { paths, pods, count } of cases)
      for (const protocol of settings.protocols) {
        const subject = `${count} informers of ${pods} pods`;
        const observation = await observe({
          kind: 'informers',
          endpoint: session.endpoint,
          protocol,
          paths,
          informers: count,
          timeoutSeconds: 180,
        });
        record({ subject, load: protocol }, { syncSeconds: observation.elapsedSeconds, serverCPUSeconds: observation.serverCPUSeconds });
        remark(`${subject} ${protocol}`, observation.remarks);
      }
  },
};
