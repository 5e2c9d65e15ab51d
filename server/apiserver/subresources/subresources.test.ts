import assert from 'node:assert/strict';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { type Status } from '../../../api/meta/status.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { selfSubjectReviews } from '../../../api/resources/authentication/v1/self-subject-review.ts';
import { tokenReviews } from '../../../api/resources/authentication/v1/token-review.ts';
import { selfSubjectAccessReviews } from '../../../api/resources/authorization/v1/self-subject-access-review.ts';
import { selfSubjectRulesReviews } from '../../../api/resources/authorization/v1/self-subject-rules-review.ts';
import { subjectAccessReviews } from '../../../api/resources/authorization/v1/subject-access-review.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { podDisruptionBudgets } from '../../../api/resources/policy/v1/pod-disruption-budget.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import type { TokenRequest } from '../../../api/types/authentication-v1.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import { eventually, refusal } from '../testing/complete-server.ts';
import { type SubresourceServer, startSubresourceServer } from './testing/subresource-server.ts';

describe('subresources on a whole server', () => {
  let server: SubresourceServer;
  let client: Client;
  const message = refusal;
  const key = (name: string) => ({ namespace: 'default', name });
  const send: SubresourceServer['send'] = (...parameters) => server.send(...parameters);
  const createPod: SubresourceServer['createPod'] = (...parameters) => server.createPod(...parameters);
  const runPod: SubresourceServer['runPod'] = (...parameters) => server.runPod(...parameters);

  before(async () => {
    server = await startSubresourceServer();
    ({ client } = server);
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
      // A token that was found good is cached for some seconds, so each is asked about once.
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
      const reader = server.as('reader');
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
});
