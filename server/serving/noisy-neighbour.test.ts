import assert from 'node:assert/strict';
import http2, { type ClientHttp2Session } from 'node:http2';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { clusterRoleBindings } from '../../api/resources/rbac/v1/cluster-role-binding.ts';
import { type ServedServer, startServedServer } from './testing/start-served-server.ts';

/** One request; how long it took, in milliseconds, and how it was answered. */
async function timed(session: ClientHttp2Session, path: string): Promise<{ readonly status: number; readonly ms: number }> {
  const startMs = performance.now();
  const stream = session.request({ ':path': path });
  const status = await new Promise<number>((resolve, reject) => {
    let code = 0;
    stream.on('response', (headers) => (code = Number(headers[':status'])));
    stream.on('error', reject).on('end', () => resolve(code));
    stream.resume();
  });
  return { status, ms: performance.now() - startMs };
}

function quantile(values: readonly number[], fraction: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * fraction)] ?? 0;
}

describe('a noisy user', function () {
  this.timeout(180_000);
  let served: ServedServer;
  before(async () => {
    served = await startServedServer({ overrides: { maxRequestsInflight: 40, maxMutatingRequestsInflight: 20 } });
    for (const name of ['noisy', 'quiet']) {
      await served.client(clusterRoleBindings).create({
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
      });
    }
    const data = { text: 'x'.repeat(10_000) };
    for (let index = 0; index < 500; index++)
      await served.client(configMaps).create({ metadata: { namespace: 'default', name: `m-${index}` }, data });
  });
  after(() => served.close());

  it('who lists all there is, on and on, leaves room for one who asks for little', async () => {
    const connect = async (name: string) => http2.connect(`https://${served.host}`, await served.credentials({ name, groups: [] }));
    const sessions = await Promise.all(['noisy', 'noisy', 'noisy', 'quiet'].map(connect));
    const quiet = sessions[3];
    assert.ok(quiet);
    let isOver = false;
    const noise: number[] = [];
    const refused = { noisy: 0, quiet: 0 };
    const makeNoise = async (session: ClientHttp2Session) => {
      while (!isOver) {
        const { status, ms } = await timed(session, '/api/v1/configmaps');
        if (status === 429) refused.noisy++;
        else noise.push(ms);
      }
    };
    const alone: number[] = [];
    for (let count = 0; count < 50; count++) alone.push((await timed(quiet, '/api/v1/namespaces/default/configmaps/m-1')).ms);
    const noisy = sessions.slice(0, 3).flatMap((session) => Array.from({ length: 40 }, () => makeNoise(session)));
    while (noise.length < 5) await new Promise((resolve) => setImmediate(resolve));
    const beside: number[] = [];
    for (let count = 0; count < 50; count++) {
      const { status, ms } = await timed(quiet, '/api/v1/namespaces/default/configmaps/m-1');
      if (status === 200) beside.push(ms);
      else refused.quiet++;
    }
    isOver = true;
    await Promise.all(noisy);
    for (const session of sessions) session.close();
    const numbers = `quiet alone ${quantile(alone, 0.5).toFixed(1)} ms, beside noise ${quantile(beside, 0.5).toFixed(1)} (p90 ${quantile(beside, 0.9).toFixed(1)}); noisy ${quantile(noise, 0.5).toFixed(1)}, ${noise.length} lists, ${refused.noisy} refused`;
    if (process.env['SHOW']) console.log(numbers);
    assert.equal(refused.quiet, 0, numbers);
    assert.ok(quantile(beside, 0.5) < quantile(noise, 0.5) / 3, numbers);
  });
});
