import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { clusterRoles } from '../../api/resources/rbac/v1/cluster-role.ts';
import { eventually, startCompleteServer } from '../apiserver/testing/complete-server.ts';
import { schedulerPlugins } from './plugins/plugins.ts';
import { runScheduler } from './scheduler.ts';

describe('runScheduler', () => {
  it('places Pods while an informer of somebody else who shares the factory cannot sync', async () => {
    const { server, admin, close } = await startCompleteServer();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const client = createClient(
      (request) => (request.path.includes('clusterroles') ? Promise.reject(new Error('cut')) : server.transport(request)),
      { user: { name: 'admin', groups: ['system:masters', 'system:authenticated'] } },
    );
    const informers = createInformerFactory({ client, ...parts });
    informers.informer(clusterRoles);
    const stop = new AbortController();
    const recorder = { event: () => {} };
    const running = runScheduler({ client, informers, recorder, ...parts, plugins: schedulerPlugins }, stop.signal);
    const informing = informers.run(stop.signal);
    try {
      await admin(nodes).create({ metadata: { name: 'one' } });
      const body = { status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } };
      await admin(nodes).patch({ namespace: '', name: 'one' }, { type: 'merge', body }, { subresource: 'status' });
      const key = { namespace: 'default', name: 'p' };
      const spec = { containers: [{ name: 'c', image: 'nginx' }], tolerations: [{ operator: 'Exists' as const }] };
      await admin(pods).create({ metadata: { ...key }, spec });
      await eventually('a node', async () => (await admin(pods).get(key)).spec?.nodeName === 'one');
    } finally {
      stop.abort();
      await Promise.allSettled([running, informing]);
      await close();
    }
  });
});
