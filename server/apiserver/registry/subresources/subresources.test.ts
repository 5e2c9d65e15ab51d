import assert from 'node:assert/strict';
import { systemClock } from '../../../../api/base/system-clock.ts';
import type { Client } from '../../../../api/client/client.ts';
import { createChannelPair } from '../../../../api/client/channel-pair.ts';
import { createClient } from '../../../../api/client/create-client.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { readBody } from '../../../../api/client/read-body.ts';
import type { APIRequest } from '../../../../api/client/transport.ts';
import { waitFor } from '../../../../api/client/wait-for.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { findCondition } from '../../../../api/meta/conditions.ts';
import { type Status, StatusError } from '../../../../api/meta/status.ts';
import { deployments } from '../../../../api/resources/apps/v1/deployment.ts';
import { selfSubjectReviews } from '../../../../api/resources/authentication/v1/self-subject-review.ts';
import { tokenReviews } from '../../../../api/resources/authentication/v1/token-review.ts';
import { selfSubjectAccessReviews } from '../../../../api/resources/authorization/v1/self-subject-access-review.ts';
import { selfSubjectRulesReviews } from '../../../../api/resources/authorization/v1/self-subject-rules-review.ts';
import { subjectAccessReviews } from '../../../../api/resources/authorization/v1/subject-access-review.ts';
import { endpoints } from '../../../../api/resources/core/v1/endpoints.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../../api/resources/core/v1/replication-controller.ts';
import { serviceAccounts } from '../../../../api/resources/core/v1/service-account.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { podDisruptionBudgets } from '../../../../api/resources/policy/v1/pod-disruption-budget.ts';
import { clusterRoleBindings } from '../../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../../api/resources/rbac/v1/cluster-role.ts';
import type { TokenRequest } from '../../../../api/types/authentication-v1.ts';
import type { Scale } from '../../../../api/types/autoscaling-v1.ts';
import type { Pod, PodSpec } from '../../../../api/types/core-v1.ts';
import { createResources } from '../../../composition/create-resources.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../testing/start-api-server.ts';
import type { Dialer, DialTarget } from './subresource.ts';

type Dialed = Parameters<Dialer['send']>[1] & { readonly target: DialTarget };

/** A network on which every place answers with what it was asked. */
function createEchoDialer(): Dialer & { readonly dialed: Dialed[] } {
  const dialed: Dialed[] = [];
  return {
    dialed,
    async send(target, request) {
      dialed.push({ ...request, target });
      if (request.canUpgrade && request.headers['upgrade'] !== undefined)
        return { status: 101, headers: { upgrade: request.headers['upgrade'] }, body: { kind: 'none' }, upgrade: () => {} };
      if (request.path === '/moved')
        return { status: 302, headers: { location: `http://${target.host}:${target.port}/there` }, body: { kind: 'none' } };
      const missing = request.path.endsWith('/absent');
      const text = missing ? 'container "app" in pod "web" is waiting to start: ContainerCreating' : `${request.path}?${request.query}`;
      return {
        status: missing ? 400 : 200,
        headers: { 'content-type': 'text/plain' },
        body: { kind: 'bytes', bytes: new TextEncoder().encode(text) },
      };
    },
  };
}

describe('subresources on a whole server', () => {
  let server: TestAPIServer;
  let client: Client;
  const dialer = createEchoDialer();
  const admin: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const send = async (
    method: string,
    path: string,
    options: { query?: string; body?: unknown; headers?: Record<string, string>; user?: UserInfo } = {},
  ) => {
    const request: APIRequest = {
      method,
      path,
      query: options.query ?? '',
      headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
      ...(options.body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(options.body)) }),
      signal: new AbortController().signal,
      user: options.user ?? admin,
      canUpgrade: true,
    };
    const response = await server.transport(request);
    const [near, far] = createChannelPair();
    response.upgrade?.(near);
    far.destroy();
    const text = new TextDecoder().decode(await readBody(response.body));
    return { status: response.status, headers: response.headers, text, object: () => JSON.parse(text) as Status };
  };
  const message = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof StatusError, `not refused: ${String(error)}`);
    return error.message;
  };
  const eventually = (what: string, ask: () => Promise<boolean>) =>
    waitFor(what, async () => (await ask()) || undefined, {
      withinSeconds: 5,
      everyMs: 2,
      clock: systemClock,
      signal: new AbortController().signal,
    });

  let count = 0;
  const key = (name: string) => ({ namespace: 'default', name });
  const createPod = (name = `pod-${++count}`, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): Promise<Pod> =>
    client(pods).create({ metadata: { ...key(name), labels }, spec: { containers: [{ name: 'app', image: 'app' }], ...spec } });
  const runPod = async (
    name: string,
    labels: Record<string, string>,
    conditions: { type: string; status: 'True' | 'False' }[] = [{ type: 'Ready', status: 'True' }],
  ) => {
    const pod = await createPod(name, { nodeName: 'one' }, labels);
    return client(pods).updateStatus({ ...pod, status: { phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }], conditions } });
  };

  before(async () => {
    server = await startAPIServerInProcess({
      createResources: (parts, storage, caches) => createResources({ storage, caches, serviceCIDR: '10.96.0.0/12', dialer }, parts),
    });
    client = createClient(server.transport, { user: admin });
    await client(serviceAccounts).create({ metadata: key('default') });
    const node = await client(nodes).create({ metadata: { name: 'one' } });
    await client(nodes).updateStatus({
      ...node,
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }], daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } },
    });
  });
  after(() => server.close());

  describe('scale', () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app' }] } };
    before(async () => {
      await client(deployments).create({
        metadata: key('web'),
        spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
      });
      await client(replicationControllers).create({
        metadata: key('old'),
        spec: {
          replicas: 1,
          selector: { app: 'web', tier: 'a' },
          template: { ...template, metadata: { labels: { app: 'web', tier: 'a' } } },
        },
      });
    });

    it('shows every scalable kind in the same shape', async () => {
      const scale = await client(deployments).getSubresource<Scale>(key('web'), 'scale');
      const { uid, resourceVersion, creationTimestamp } = (await client(deployments).get(key('web'))).metadata;
      assert.deepEqual(scale, {
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: { name: 'web', namespace: 'default', uid, resourceVersion, creationTimestamp },
        spec: { replicas: 2 },
        status: { replicas: 0, selector: 'app=web' },
      });
      assert.equal((await client(replicationControllers).getSubresource<Scale>(key('old'), 'scale')).status?.selector, 'app=web,tier=a');
    });

    it('is changed by PUT and PATCH, and counts as a change of the spec', async () => {
      const scale = await client(deployments).getSubresource<Scale>(key('web'), 'scale');
      const put = await client(deployments).updateSubresource<Scale>(key('web'), 'scale', { ...scale, spec: { replicas: 5 } });
      assert.equal(put.spec?.replicas, 5);
      await client(deployments).patch(key('web'), { type: 'merge', body: { spec: { replicas: 0 } } }, { subresource: 'scale' });
      const { metadata, spec } = await client(deployments).get(key('web'));
      assert.deepEqual([spec?.replicas, metadata.generation], [0, 3]);
      assert.match(
        await message(client(deployments).updateSubresource(key('web'), 'scale', { ...scale, spec: { replicas: 1 } })),
        /the object has been modified/,
      );
      assert.match(
        await message(client(deployments).patch(key('web'), { type: 'merge', body: { spec: { replicas: -1 } } }, { subresource: 'scale' })),
        /spec\.replicas: Invalid value: -1: must be greater than or equal to 0$/,
      );
      assert.match(await message(client(deployments).getSubresource(key('none'), 'scale')), /^deployments\.apps "none" not found$/);
    });
  });

  describe('binding', () => {
    const bind = (name: string, target: object) =>
      client(pods).createSubresource<Status>(key(name), 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target });

    it('puts a Pod on a node, once', async () => {
      await createPod('bound');
      const status = await bind('bound', { kind: 'Node', name: 'one' });
      assert.deepEqual([status.status, status.code], ['Success', 201]);
      const { spec, status: podStatus } = await client(pods).get(key('bound'));
      assert.equal(spec?.nodeName, 'one');
      assert.equal(findCondition(podStatus?.conditions, 'PodScheduled')?.status, 'True');
      assert.equal(
        await message(bind('bound', { kind: 'Node', name: 'two' })),
        'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "one"',
      );
    });

    it('refuses what is no node', async () => {
      await createPod('unbound');
      assert.match(
        await message(bind('unbound', { kind: 'Pod', name: 'one' })),
        /target\.kind: Unsupported value: "Pod": supported values: "Node"/,
      );
      assert.match(await message(bind('unbound', { kind: 'Node' })), /target\.name: Required value/);
      assert.equal(await message(bind('missing', { kind: 'Node', name: 'one' })), 'pods "missing" not found');
    });
  });

  describe('eviction', () => {
    const evict = (name: string, deleteOptions?: object) =>
      send('POST', `/api/v1/namespaces/default/pods/${name}/eviction`, {
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: key(name), ...(deleteOptions ? { deleteOptions } : {}) },
      });
    const budget = async (name: string, status: object) => {
      const made = await client(podDisruptionBudgets).create({
        metadata: key(name),
        spec: { minAvailable: 1, selector: { matchLabels: { pdb: name } } },
      });
      return client(podDisruptionBudgets).updateStatus({
        ...made,
        status: {
          observedGeneration: made.metadata.generation ?? 1,
          currentHealthy: 1,
          desiredHealthy: 1,
          expectedPods: 1,
          disruptionsAllowed: 0,
          ...status,
        },
      });
    };

    it('deletes a Pod that no budget protects, and says why', async () => {
      await runPod('free', { app: 'free' });
      const { status, object } = await evict('free');
      assert.deepEqual([status, object().status], [201, 'Success']);
      const pod = await client(pods).get(key('free'));
      assert.ok(pod.metadata.deletionTimestamp);
      const { reason, message: text, status: value } = findCondition(pod.status?.conditions, 'DisruptionTarget') ?? {};
      assert.deepEqual([value, reason, text], ['True', 'EvictionByEvictionAPI', 'Eviction API: evicting']);
    });

    it('keeps to the budget', async () => {
      await budget('none', {});
      await runPod('kept', { pdb: 'none' });
      const { status, object } = await evict('kept');
      assert.equal(status, 429);
      const { message: text, reason, details } = object();
      assert.equal(text, "Cannot evict pod as it would violate the pod's disruption budget.");
      assert.deepEqual(
        [reason, details?.causes],
        [
          'TooManyRequests',
          [{ reason: 'DisruptionBudget', message: 'The disruption budget none needs 1 healthy pods and has 1 currently' }],
        ],
      );
      assert.equal((await client(pods).get(key('kept'))).metadata.deletionTimestamp, undefined);
    });

    it('uses up the budget', async () => {
      await budget('some', { disruptionsAllowed: 1, currentHealthy: 2 });
      await runPod('first', { pdb: 'some' });
      await runPod('second', { pdb: 'some' });
      const statuses = await Promise.all(['first', 'second'].map(async (name) => (await evict(name)).status));
      assert.deepEqual(statuses.sort(), [201, 429]);
      const { status } = await client(podDisruptionBudgets).get(key('some'));
      assert.equal(status?.disruptionsAllowed, 0);
      assert.equal(Object.keys(status?.disruptedPods ?? {}).length, 1);
    });

    it('waits for a budget that the controller has not seen yet', async () => {
      await budget('young', { observedGeneration: 0, disruptionsAllowed: 1 });
      await runPod('early', { pdb: 'young' });
      const { object } = await evict('early');
      assert.deepEqual(
        [object().details?.retryAfterSeconds, object().details?.causes?.[0]?.message],
        [10, 'The disruption budget young is still being processed by the server.'],
      );
    });

    it('does not protect what has ended or is pending, and understands dry runs and preconditions', async () => {
      await createPod('pending', {}, { pdb: 'none' });
      assert.equal((await evict('pending', { dryRun: ['All'] })).status, 201);
      await client(pods).get(key('pending'));
      assert.equal((await evict('pending', { preconditions: { uid: 'other' } })).status, 409);
      assert.equal((await evict('pending')).status, 201);
      assert.equal(await ignoreNotFound(client(pods).get(key('pending'))), undefined);
    });

    it('gives up where budgets overlap', async () => {
      const made = await client(podDisruptionBudgets).create({
        metadata: key('overlapping'),
        spec: { minAvailable: 1, selector: { matchLabels: { pdb: 'none' } } },
      });
      const { status, object } = await evict('kept');
      assert.deepEqual(
        [status, object().message],
        [500, 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'],
      );
      await client(podDisruptionBudgets).delete(key(made.metadata.name ?? ''));
    });
  });

  describe('tokens and reviews', () => {
    const request = (spec: TokenRequest['spec']) =>
      client(serviceAccounts).createSubresource<TokenRequest>(key('default'), 'token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec,
      });

    it('a token says whose it is', async () => {
      const { status, spec } = await request({ audiences: [] });
      assert.equal(spec?.expirationSeconds, 3600);
      assert.deepEqual(spec.audiences, ['https://kubernetes.default.svc.cluster.local']);
      const review = await client(tokenReviews).create({ metadata: {}, spec: { token: status?.token ?? '' } });
      assert.equal(review.status?.authenticated, true);
      assert.equal(review.status?.user?.username, 'system:serviceaccount:default:default');
      const bad = await client(tokenReviews).create({ metadata: {}, spec: { token: 'nonsense' } });
      assert.ok(!bad.status?.authenticated);
    });

    it('a token dies with what it is bound to', async () => {
      const pod = await createPod('owner');
      const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'owner', uid: pod.metadata.uid ?? '' };
      // What was found good is believed for some seconds, so each is asked about once.
      const tokens = await Promise.all(
        Array.from({ length: 40 }, async () => (await request({ audiences: [], boundObjectRef })).status?.token ?? ''),
      );
      const isGood = async () =>
        (await client(tokenReviews).create({ metadata: {}, spec: { token: tokens.pop() ?? '' } })).status?.authenticated === true;
      assert.ok(await isGood());
      await client(pods).delete(key('owner'), { gracePeriodSeconds: 0 });
      await eventually('the end of the tokens', async () => !(await isGood()));
      assert.ok(tokens.length > 0);
      assert.match(
        await message(request({ audiences: [], expirationSeconds: 10 })),
        /spec\.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes$/,
      );
      assert.match(
        await message(request({ audiences: [], boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' } })),
        /cannot bind token to object of type \/v1, Kind=ConfigMap/,
      );
    });

    it('reviews tell what one may', async () => {
      await client(clusterRoles).create({
        metadata: { name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['pods', 'pods/exec', 'pods/log'], verbs: ['get'] }],
      });
      await client(clusterRoleBindings).create({
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
      });
      const reader = createClient(server.transport, { user: { name: 'reader', groups: ['system:authenticated'] } });
      const may = async (verb: string) =>
        (
          await reader(selfSubjectAccessReviews).create({
            metadata: {},
            spec: { resourceAttributes: { verb, resource: 'pods', namespace: 'default' } },
          })
        ).status;
      await eventually('the role', async () => (await may('get'))?.allowed === true);
      assert.equal((await may('delete'))?.allowed, false);
      const other = await client(subjectAccessReviews).create({
        metadata: {},
        spec: { user: 'reader', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
      });
      assert.equal(other.status?.allowed, true);
      assert.deepEqual((await reader(selfSubjectReviews).create({ metadata: {} })).status?.userInfo, {
        username: 'reader',
        groups: ['system:authenticated'],
      });
      const rules = (await reader(selfSubjectRulesReviews).create({ metadata: {}, spec: { namespace: 'default' } })).status;
      assert.ok(rules);
      assert.ok(rules.resourceRules.some(({ verbs, resources }) => verbs.includes('get') && resources?.includes('pods/log')));
      assert.equal(rules.incomplete, false);
    });
  });

  describe('kubelet requests', () => {
    const last = () => dialer.dialed.at(-1);
    const path = (name: string, subresource: string) => `/api/v1/namespaces/default/pods/${name}/${subresource}`;
    const upgrade = { upgrade: 'websocket', connection: 'Upgrade' };
    before(async () => {
      await createPod('two', {
        nodeName: 'one',
        containers: [
          { name: 'a', image: 'a' },
          { name: 'b', image: 'b' },
        ],
        initContainers: [{ name: 'i', image: 'i' }],
      });
      await createPod('single', { nodeName: 'one' });
      await createPod('nowhere');
      await createPod('absent', { nodeName: 'one', containers: [{ name: 'absent', image: 'a' }] });
    });

    it('logs come from the node of the Pod', async () => {
      const { status, text, headers } = await send('GET', path('single', 'log'), {
        query: 'tailLines=5&follow=true&timestamps=false&sinceSeconds=60',
      });
      assert.deepEqual([status, headers['content-type']], [200, 'text/plain']);
      assert.equal(text, '/containerLogs/default/single/app?follow=true&sinceSeconds=60&tailLines=5');
      assert.deepEqual(last()?.target, { scheme: 'https', host: '192.0.2.7', port: 10_250, kubelet: true });
    });

    const refusals: readonly (readonly [subresource: string, name: string, query: string, code: number, message: string | RegExp])[] = [
      ['log', 'two', '', 400, 'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]'],
      ['log', 'two', 'container=c', 400, 'container c is not valid for pod two'],
      ['log', 'missing', '', 404, 'pods "missing" not found'],
      ['log', 'single', 'tailLines=-1', 422, /tailLines: Invalid value: -1: must be greater than or equal to 0$/],
      ['log', 'single', 'limitBytes=0', 422, /limitBytes: Invalid value: 0: must be greater than 0$/],
      [
        'log',
        'single',
        'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
        422,
        /at most one of `sinceTime` or `sinceSeconds` may be specified$/,
      ],
      ['log', 'absent', '', 400, 'container "app" in pod "web" is waiting to start: ContainerCreating'],
      ['exec', 'nowhere', 'command=ls&stdout=true', 400, 'pod nowhere does not have a host assigned'],
      ['exec', 'two', 'command=ls&stdout=true', 400, /^a container name must be specified for pod two/],
      ['exec', 'single', 'stdout=true', 400, 'you must specify at least 1 command for the container'],
      ['exec', 'single', 'command=ls', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
      ['attach', 'single', '', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
      ['portforward', 'nowhere', 'ports=80', 400, 'pod nowhere does not have a host assigned'],
    ];
    for (const [subresource, name, query, code, expected] of refusals) {
      it(`${subresource} of ${name}${query === '' ? '' : ` with ${query}`} is refused`, async () => {
        const { status, object } = await send('GET', path(name, subresource), { query, headers: subresource === 'log' ? {} : upgrade });
        assert.equal(status, code);
        if (typeof expected === 'string') assert.equal(object().message, expected);
        else assert.match(object().message ?? '', expected);
      });
    }

    it('streams are passed on in the words of the kubelet', async () => {
      const { status } = await send('POST', path('two', 'exec'), {
        query: 'container=b&command=sh&command=-c&command=echo+%241&stdin=true&stdout=true&stderr=0&tty=1',
        headers: upgrade,
      });
      assert.equal(status, 101);
      assert.equal(last()?.path, '/exec/default/two/b');
      assert.deepEqual(
        [...new URLSearchParams(last()?.query)],
        [
          ['input', '1'],
          ['output', '1'],
          ['tty', '1'],
          ['command', 'sh'],
          ['command', '-c'],
          ['command', 'echo $1'],
        ],
      );
      await send('POST', path('single', 'attach'), { query: 'stdout=true&stderr=true', headers: upgrade });
      assert.deepEqual([last()?.path, last()?.query], ['/attach/default/single/app', 'output=1&error=1']);
      await send('POST', path('single', 'portforward'), { query: 'ports=80&ports=443', headers: upgrade });
      assert.deepEqual([last()?.path, last()?.query], ['/portForward/default/single', 'port=80&port=443']);
    });

    it('whoever may only read runs nothing, also over a WebSocket', async () => {
      const reader: UserInfo = { name: 'reader', groups: ['system:authenticated'] };
      const { status, object } = await send('GET', path('single', 'exec'), {
        query: 'command=ls&stdout=true',
        headers: upgrade,
        user: reader,
      });
      assert.deepEqual(
        [status, object().message],
        [403, 'pods "single" is forbidden: User "reader" cannot create resource "pods/exec" in API group "" in the namespace "default"'],
      );
      assert.equal((await send('GET', path('single', 'log'), { user: reader })).status, 200);
    });
  });

  describe('proxies', () => {
    const last = () => dialer.dialed.at(-1);
    before(async () => {
      await runPod('web', { app: 'web' });
      await client(services).create({
        metadata: key('front'),
        spec: {
          ports: [
            { name: 'http', port: 80, targetPort: 8080 },
            { name: 'tls', port: 443 },
          ],
        },
      });
      await client(endpoints).create({
        metadata: key('front'),
        subsets: [
          {
            addresses: [{ ip: '10.0.0.9' }],
            ports: [
              { name: 'http', port: 8080 },
              { name: 'tls', port: 8443 },
            ],
          },
        ],
      });
    });

    const cases: readonly (readonly [path: string, target: string, forwarded: string])[] = [
      ['/api/v1/namespaces/default/pods/web/proxy/', 'http://10.0.0.7:80', '/'],
      ['/api/v1/namespaces/default/pods/web:8080/proxy/a%2Fb/c', 'http://10.0.0.7:8080', '/a%2Fb/c'],
      ['/api/v1/namespaces/default/pods/https:web:8443/proxy/x', 'https://10.0.0.7:8443', '/x'],
      ['/api/v1/namespaces/default/services/front:http/proxy/x', 'http://10.0.0.9:8080', '/x'],
      ['/api/v1/namespaces/default/services/https:front:tls/proxy/x', 'https://10.0.0.9:8443', '/x'],
      ['/api/v1/namespaces/default/services/front:80/proxy/x', 'http://10.0.0.9:8080', '/x'],
      ['/api/v1/nodes/one/proxy/healthz', 'https://192.0.2.7:10250', '/healthz'],
    ];
    for (const [path, target, forwarded] of cases) {
      it(`${path} leads to ${target}${forwarded}`, async () => {
        assert.equal((await send('GET', path, { query: 'q=1' })).status, 200);
        const dialed = last();
        assert.equal(`${dialed?.target.scheme}://${dialed?.target.host}:${dialed?.target.port}`, target);
        assert.deepEqual([dialed?.path, dialed?.query], [forwarded, 'q=1']);
        assert.equal(dialed?.target.kubelet ?? false, path.startsWith('/api/v1/nodes/'));
      });
    }

    it('redirects stay behind the proxy', async () => {
      const { status, headers } = await send('GET', '/api/v1/namespaces/default/pods/web:8080/proxy/moved');
      assert.deepEqual([status, headers['location']], [302, '/api/v1/namespaces/default/pods/web:8080/proxy/there']);
      assert.equal(
        (await send('GET', '/api/v1/namespaces/default/pods/web/proxy')).headers['location'],
        '/api/v1/namespaces/default/pods/web/proxy/',
      );
    });

    it('what cannot be reached is said so', async () => {
      const text = async (path: string) => (await send('GET', path)).object().message;
      assert.equal(await text('/api/v1/namespaces/default/pods/none/proxy/'), 'pods "none" not found');
      assert.equal(await text('/api/v1/namespaces/default/services/front:none/proxy/'), 'no service port "none" found for service "front"');
      assert.match((await text('/api/v1/namespaces/default/pods/a:b:c:d/proxy/')) ?? '', /^invalid pod request "a:b:c:d"$/);
    });
  });
});
