import assert from 'node:assert/strict';
import { createResources } from '../../control-plane/create-resources.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { eventually } from '../testing/complete-server.ts';
import { startAPIServerInProcess } from '../testing/start-api-server.ts';
import { createStartHooks } from './start-hooks.ts';

/** The checks of `/readyz?verbose` of kube-apiserver v1.32, as recorded. */
const upstream = `ping log etcd etcd-readiness informer-sync poststarthook/start-apiserver-admission-initializer
  poststarthook/generic-apiserver-start-informers poststarthook/priority-and-fairness-config-consumer
  poststarthook/priority-and-fairness-filter poststarthook/storage-object-count-tracker-hook poststarthook/start-apiextensions-informers
  poststarthook/start-apiextensions-controllers poststarthook/crd-informer-synced poststarthook/start-system-namespaces-controller
  poststarthook/start-cluster-authentication-info-controller poststarthook/start-kube-apiserver-identity-lease-controller
  poststarthook/start-kube-apiserver-identity-lease-garbage-collector poststarthook/start-legacy-token-tracking-controller
  poststarthook/start-service-ip-repair-controllers poststarthook/rbac/bootstrap-roles
  poststarthook/scheduling/bootstrap-system-priority-classes poststarthook/priority-and-fairness-config-producer
  poststarthook/bootstrap-controller poststarthook/aggregator-reload-proxy-client-cert poststarthook/start-kube-aggregator-informers
  poststarthook/apiservice-status-local-available-controller poststarthook/apiservice-status-remote-available-controller
  poststarthook/apiservice-registration-controller poststarthook/apiservice-discovery-controller
  poststarthook/kube-apiserver-autoregistration autoregister-completion poststarthook/apiservice-openapi-controller
  poststarthook/apiservice-openapiv3-controller shutdown`.split(/\s+/);

/** Checks of things that have no counterpart here, or only with flags. */
const withoutCounterpart = new Set([
  'poststarthook/priority-and-fairness-filter',
  'poststarthook/storage-object-count-tracker-hook',
  'poststarthook/start-kube-apiserver-identity-lease-controller',
  'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
  'poststarthook/aggregator-reload-proxy-client-cert',
]);
/** Came with v1.33. */
const newer = 'poststarthook/start-kubernetes-service-cidr-controller';

describe('checks of the start', () => {
  it('fail until their work is done, in upstream’s order', async () => {
    const { checks, run } = createStartHooks(['bootstrap-controller', 'generic-apiserver-start-informers']);
    assert.deepEqual(
      checks.map(({ name }) => name),
      ['poststarthook/generic-apiserver-start-informers', 'poststarthook/bootstrap-controller'],
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = run('bootstrap-controller', () => promise);
    for (const { check } of checks) assert.throws(() => check(new AbortController().signal), /^Error: not finished$/);
    resolve();
    await running;
    checks[1]?.check(new AbortController().signal);
    await assert.rejects(
      run('bootstrap-controller', () => Promise.reject(new Error('no store'))),
      /no store/,
    );
    await assert.rejects(
      run('crd-informer-synced', () => undefined),
      /was not announced/,
    );
  });
  it('are those of kube-apiserver, in its order', async () => {
    const nowhere = { send: () => Promise.reject(new Error('there is no network')) };
    const server = await startAPIServerInProcess({
      createResources: (parts, storage, caches) =>
        createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer: nowhere }, parts),
      overrides: {
        aggregation: { dialer: nowhere, isOwnEndpoint: () => false, clientCertificate: () => ({ certificatePEM: '', keyPEM: '' }) },
      },
    });
    const api = createAPICaller(server.transport);
    const namesAt = async (root: string) => {
      const { text } = await api.get(`/${root}?verbose`);
      return [...text.matchAll(/^\[\+\](\S+) ok$/gm)].map(([, name]) => name);
    };
    await eventually('readyz', async () => (await api.get('/readyz')).status === 200);
    const expected = upstream.filter((name) => !withoutCounterpart.has(name)).toSpliced(-13, 0, newer);
    assert.deepEqual((await namesAt('readyz')).toSorted(), expected.toSorted());
    assert.deepEqual(
      (await namesAt('readyz')).filter((name) => name !== newer),
      expected.filter((name) => name !== newer),
    );
    const ofReadyAlone = ['etcd-readiness', 'informer-sync', 'shutdown'];
    for (const root of ['livez', 'healthz'])
      assert.deepEqual(
        await namesAt(root),
        (await namesAt('readyz')).filter((name) => !ofReadyAlone.includes(name ?? '')),
      );
    assert.equal((await api.get('/healthz/autoregister-completion')).status, 200);
    assert.equal((await api.get('/readyz/poststarthook/apiservice-discovery-controller')).text, 'ok');
    await server.close();
  });
});
