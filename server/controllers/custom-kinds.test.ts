import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { UntypedObject } from '../../api/meta/object.ts';
import { customResourceDefinitions } from '../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { horizontalPodAutoscalers } from '../../api/resources/autoscaling/v2/horizontal-pod-autoscaler.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { resourceQuotas } from '../../api/resources/core/v1/resource-quota.ts';
import { podDisruptionBudgets } from '../../api/resources/policy/v1/pod-disruption-budget.ts';
import { clusterRoles } from '../../api/resources/rbac/v1/cluster-role.ts';
import type { CustomResourceDefinition } from '../../api/types/apiextensions-v1.ts';
import { cronTabDefinition, cronTabs } from '../apiserver/extensions/testing/cron-tabs.ts';
import { type ControlPlane, startControlPlane } from './testing/control-plane.ts';

const definitionKey = { namespace: '', name: 'crontabs.stable.example.com' };

describe('controllers and custom kinds', function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  const establish = async () => {
    const { client } = plane;
    await client(customResourceDefinitions).create(cronTabDefinition() as unknown as CustomResourceDefinition);
    await plane.waitFor('the kind', async () => {
      const { status } = await client(customResourceDefinitions).get(definitionKey);
      return isConditionTrue(status?.conditions ?? [], 'Established');
    });
  };
  const isGone = async (work: Promise<unknown>) => (await ignoreNotFound(work)) === undefined;
  before(async () => {
    plane = await startControlPlane();
  });
  after(() => plane.stop());
  beforeEach(establish);
  afterEach(async () => {
    const { client } = plane;
    await ignoreNotFound(client(customResourceDefinitions).delete(definitionKey));
    await plane.waitFor('the end of the kind', () => isGone(client(customResourceDefinitions).get(definitionKey)));
  });
  const ownedBy = (owner: UntypedObject, apiVersion: string, kind: string) => ({
    ownerReferences: [{ apiVersion, kind, name: owner.metadata.name ?? '', uid: owner.metadata.uid ?? '' }],
  });

  it('objects go with their owners, whichever of the two is of a custom kind', async () => {
    const { client } = plane;
    const owner = await client(cronTabs).create({ metadata: { namespace: 'default', name: 'owner' } } as UntypedObject);
    const metadata = { namespace: 'default', name: 'owned', ...ownedBy(owner, 'stable.example.com/v1', 'CronTab') };
    const map = await client(configMaps).create({ metadata });
    const last = { namespace: 'default', name: 'last', ...ownedBy(map as UntypedObject, 'v1', 'ConfigMap') };
    await client(cronTabs).create({ metadata: last } as UntypedObject);
    await client(cronTabs).delete({ namespace: 'default', name: 'owner' });
    await plane.waitFor('the end of the owned', () => isGone(client(configMaps).get({ namespace: 'default', name: 'owned' })));
    await plane.waitFor('the end of the last', () => isGone(client(cronTabs).get({ namespace: 'default', name: 'last' })));
  });

  it('objects go with their owners when the kind of these is deleted, also when it came a second time', async () => {
    const { client } = plane;
    const ownOne = async (name: string) => {
      const owner = await client(cronTabs).create({ metadata: { namespace: 'default', name } } as UntypedObject);
      await client(configMaps).create({ metadata: { namespace: 'default', name, ...ownedBy(owner, 'stable.example.com/v1', 'CronTab') } });
    };
    // Only where the collector follows the kind does it end the foreground deletion of an object.
    const probe = { namespace: 'default', name: 'probe' };
    await client(cronTabs).create({ metadata: { ...probe } } as UntypedObject);
    await client(cronTabs).delete(probe, { propagationPolicy: 'Foreground' });
    await plane.waitFor('the end of the probe', () => isGone(client(cronTabs).get(probe)));
    await ownOne('second');
    await client(customResourceDefinitions).delete(definitionKey);
    await plane.waitFor('the end of the second', () => isGone(client(configMaps).get({ namespace: 'default', name: 'second' })));
  });

  it('custom objects go with their namespace', async () => {
    const { client } = plane;
    await client(namespaces).create({ metadata: { name: 'short' } });
    await client(cronTabs).create({ metadata: { namespace: 'short', name: 'a' } } as UntypedObject);
    await client(namespaces).delete({ namespace: '', name: 'short' });
    await plane.waitFor('the end of the namespace', () => isGone(client(namespaces).get({ namespace: '', name: 'short' })));
    assert.equal((await client(cronTabs).list({ namespace: 'short' })).items.length, 0);
  });

  it('custom objects are counted by quotas', async () => {
    const { client } = plane;
    await client(cronTabs).create({ metadata: { namespace: 'default', name: 'counted' } } as UntypedObject);
    const hard = { 'count/crontabs.stable.example.com': '3' };
    await client(resourceQuotas).create({ metadata: { namespace: 'default', name: 'quota' }, spec: { hard } });
    await plane.waitFor('the count', async () => {
      const { status } = await client(resourceQuotas).get({ namespace: 'default', name: 'quota' });
      return status?.used?.['count/crontabs.stable.example.com'] === '1';
    });
    await client(resourceQuotas).delete({ namespace: 'default', name: 'quota' });
  });

  it('custom objects are scaled by a HorizontalPodAutoscaler, by their scale subresource', async () => {
    const { client } = plane;
    const key = { namespace: 'default', name: 'scaled' };
    await client(cronTabs).create({ metadata: { ...key }, spec: { replicas: 9 } } as unknown as UntypedObject);
    const scaleTargetRef = { apiVersion: 'stable.example.com/v1', kind: 'CronTab', name: 'scaled' };
    await client(horizontalPodAutoscalers).create({ metadata: { ...key }, spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 4 } });
    await plane.waitFor('the scale', async () => {
      const { spec } = (await client(cronTabs).get(key)) as UntypedObject & { spec?: { replicas?: number } };
      return spec?.replicas === 4;
    });
    await client(horizontalPodAutoscalers).delete(key);
  });

  it('Pods of custom objects are counted against a PodDisruptionBudget by the scale of these', async () => {
    const { client } = plane;
    const key = { namespace: 'default', name: 'guarded' };
    const owner = await client(cronTabs).create({ metadata: { ...key }, spec: { replicas: 3 } } as unknown as UntypedObject);
    const [reference] = ownedBy(owner, 'stable.example.com/v1', 'CronTab').ownerReferences;
    assert.ok(reference);
    const metadata = { ...key, labels: { guarded: 'yes' }, ownerReferences: [{ ...reference, controller: true }] };
    await client(pods).create({ metadata, spec: { containers: [{ name: 'c', image: 'x' }] } });
    const spec = { maxUnavailable: 1, selector: { matchLabels: { guarded: 'yes' } } };
    await client(podDisruptionBudgets).create({ metadata: { ...key }, spec });
    await plane.waitFor('the expected Pods', async () => {
      const { status } = await client(podDisruptionBudgets).get(key);
      return status?.expectedPods === 3 && status.desiredHealthy === 2;
    });
    await client(podDisruptionBudgets).delete(key);
    await client(pods).delete(key, { gracePeriodSeconds: 0 });
  });

  it('Pods of owners without a scale fail their PodDisruptionBudget', async () => {
    const { client } = plane;
    const key = { namespace: 'default', name: 'unscaled' };
    const owner = await client(configMaps).create({ metadata: { ...key } });
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'unscaled', uid: owner.metadata.uid ?? '', controller: true };
    await client(pods).create({
      metadata: { ...key, labels: { unscaled: 'yes' }, ownerReferences: [reference] },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    await client(podDisruptionBudgets).create({
      metadata: { ...key },
      spec: { maxUnavailable: 1, selector: { matchLabels: { unscaled: 'yes' } } },
    });
    const condition = await plane.waitFor('the condition', async () => {
      const { status } = await client(podDisruptionBudgets).get(key);
      return status?.conditions?.find(({ reason }) => reason === 'SyncFailed');
    });
    assert.equal(condition.message, 'configmaps does not implement the scale subresource');
    await client(podDisruptionBudgets).delete(key);
    await client(pods).delete(key, { gracePeriodSeconds: 0 });
  });

  it('rights on custom kinds are aggregated into the roles of users', async () => {
    const { client } = plane;
    const rules = [{ apiGroups: ['stable.example.com'], resources: ['crontabs'], verbs: ['get'] }];
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    await client(clusterRoles).create({ metadata: { name: 'view-crontabs', labels }, rules });
    const viewHas = async () => {
      const view = await client(clusterRoles).get({ namespace: '', name: 'view' });
      return view.rules?.some(({ apiGroups }) => apiGroups?.includes('stable.example.com')) ?? false;
    };
    await plane.waitFor('the right in the role view', viewHas);
    await client(clusterRoles).delete({ namespace: '', name: 'view-crontabs' });
    await plane.waitFor('the role without it', async () => !(await viewHas()));
  });
});
