import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { UntypedObject } from '../../api/meta/object.ts';
import { customResourceDefinitions } from '../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { resourceQuotas } from '../../api/resources/core/v1/resource-quota.ts';
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
});
