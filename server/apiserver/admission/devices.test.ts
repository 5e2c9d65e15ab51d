import assert from 'node:assert/strict';
import type { Client } from '../../../api/client/client.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { resourceQuotas } from '../../../api/resources/core/v1/resource-quota.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { resourceClaimTemplates } from '../../../api/resources/resource/v1/resource-claim-template.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import type { DeviceRequest, ResourceClaimSpec } from '../../../api/types/resource-v1.ts';
import { type CompleteServer, eventually, refusal, startCompleteServerOn } from '../testing/complete-server.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';

const driver = 'gpu.example.com';
const needsLabel = 'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';
const asking = (...requests: DeviceRequest[]): ResourceClaimSpec => ({ devices: { requests } });
const exactly = (name: string, rest: object = {}): DeviceRequest => ({ name, exactly: { deviceClassName: 'gpu', ...rest } });

describeOnEachStore('devices on a whole server', (store) => {
  let complete: CompleteServer;
  let admin: Client;
  before(async () => {
    complete = await startCompleteServerOn(store());
    ({ admin } = complete);
    await admin(namespaces).create({ metadata: { name: 'open', labels: { 'resource.kubernetes.io/admin-access': 'true' } } });
    await admin(namespaces).create({ metadata: { name: 'limited' } });
    await admin(nodes).create({ metadata: { name: 'n' } });
  });
  after(() => complete.close());

  it('are looked into only from namespaces that are labelled for it', async () => {
    const spec = asking(exactly('r'), exactly('s', { adminAccess: true }));
    const create = (namespace: string) => admin(resourceClaims).create({ metadata: { namespace, name: 'c' }, spec });
    assert.equal(
      await refusal(create('default')),
      `ResourceClaim.resource.k8s.io "c" is invalid: spec.devices.requests[1].adminAccess: Forbidden: ${needsLabel}`,
    );
    const template = { metadata: { namespace: 'default', name: 't' }, spec: { spec } };
    assert.equal(
      await refusal(admin(resourceClaimTemplates).create(template)),
      `ResourceClaimTemplate.resource.k8s.io "t" is invalid: spec.devices.requests[1].adminAccess: Forbidden: ${needsLabel}`,
    );
    await create('open');
    const plain = await admin(resourceClaims).create({ metadata: { namespace: 'default', name: 'plain' }, spec: asking(exactly('r')) });
    const results = [{ request: 'r', driver, pool: 'p', device: 'd', adminAccess: true }];
    assert.equal(
      await refusal(admin(resourceClaims).updateStatus({ ...plain, status: { allocation: { devices: { results } } } })),
      `ResourceClaim.resource.k8s.io "plain" is invalid: status.allocation.devices.results[0].adminAccess: Forbidden: ${needsLabel}`,
    );
  });

  it('are counted by class', async () => {
    const names = ['gpu.deviceclass.resource.k8s.io/devices', 'count/resourceclaims.resource.k8s.io'] as const;
    const hard = { [names[0]]: '40', [names[1]]: '5' };
    const quota = await admin(resourceQuotas).create({ metadata: { namespace: 'limited', name: 'quota' }, spec: { hard } });
    await admin(resourceQuotas).updateStatus({ ...quota, status: { hard, used: { [names[0]]: '0', [names[1]]: '0' } } });
    const create = (name: string, ...requests: DeviceRequest[]) =>
      admin(resourceClaims).create({ metadata: { namespace: 'limited', name }, spec: asking(...requests) });
    const alternative = (name: string, count: number) => ({ name, deviceClassName: 'gpu', allocationMode: 'ExactCount' as const, count });
    await create('all', exactly('r', { allocationMode: 'All' }));
    await create('some', exactly('r', { count: 2 }), { name: 's', firstAvailable: [alternative('few', 1), alternative('many', 3)] });
    const used = (await admin(resourceQuotas).get({ namespace: 'limited', name: 'quota' })).status?.used;
    assert.deepEqual(used, { [names[0]]: '37', [names[1]]: '2' });
    assert.equal(
      await refusal(create('more', exactly('r', { count: 4 }))),
      `resourceclaims.resource.k8s.io "more" is forbidden: exceeded quota: quota, requested: ${names[0]}=4, used: ${names[0]}=37, limited: ${names[0]}=40`,
    );
  });

  it('are published by a node for itself alone', async () => {
    const kubelet = complete.as('system:node:n', 'system:nodes');
    const create = (name: string, nodeName: string) =>
      kubelet(resourceSlices).create({
        metadata: { name },
        spec: { driver, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [] },
      });
    await create('own', 'n');
    assert.equal(
      await refusal(create('other', 'm')),
      'resourceslices.resource.k8s.io "other" is forbidden: can only create ResourceSlice with the same NodeName as the requesting node',
    );
    const key = (name: string) => ({ namespace: '', name });
    await complete.admin(resourceSlices).create({
      metadata: { name: 'theirs' },
      spec: { driver, nodeName: 'm', pool: { name: 'm', generation: 1, resourceSliceCount: 1 }, devices: [] },
    });
    await eventually('its own slice', () =>
      kubelet(resourceSlices)
        .get(key('own'))
        .then(
          () => true,
          () => false,
        ),
    );
    await kubelet(resourceSlices).patch(key('own'), { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
    const unrelated = /no relationship found between node 'n' and this object$/;
    assert.match(await refusal(kubelet(resourceSlices).get(key('theirs'))), unrelated);
    assert.match(
      await refusal(kubelet(resourceSlices).patch(key('theirs'), { type: 'merge', body: { spec: { devices: [] } } })),
      unrelated,
    );
    assert.match(await refusal(kubelet(resourceSlices).delete(key('theirs'))), unrelated);
  });
});
