import assert from 'node:assert/strict';
import type { Client } from '../../../../api/client/client.ts';
import { createClient } from '../../../../api/client/create-client.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import { serviceCIDRs } from '../../../../api/resources/networking/v1/service-cidr.ts';
import type { Service, ServiceSpec } from '../../../../api/types/core-v1.ts';
import { createResources } from '../../../control-plane/create-resources.ts';
import { eventually, refusal } from '../../testing/complete-server.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../testing/start-api-server.ts';

const ranges = ['10.96.0.0/29', 'fd00:96::/112'];

describe('Services with addresses of two families', () => {
  let server: TestAPIServer;
  let client: Client;
  before(async () => {
    server = await startAPIServerInProcess({
      createResources(parts, storage, caches) {
        const dialer = { send: () => Promise.reject(new Error('there is no network')) };
        return createResources({ storage, caches, serviceCIDRs: ranges, dialer }, parts);
      },
      overrides: {
        bootstrap: {
          serviceCIDRs: ranges,
          kubernetesServiceAddress: '10.96.0.1',
          serving: { address: '192.0.2.1', port: 6443 },
          clusterCAPEM: '',
          frontProxyCAPEM: '',
          controllers: [],
        },
      },
    });
    client = createClient(server.transport, { user: { name: 'admin', groups: ['system:masters'] } });
  });
  after(() => server.close());

  const key = (name: string) => ({ namespace: 'default', name });
  const create = (name: string, spec: ServiceSpec): Promise<Service> =>
    client(services).create({ metadata: key(name), spec: { ports: [{ port: 80 }], selector: { app: 'web' }, ...spec } });
  const change = (name: string, spec: ServiceSpec): Promise<Service> =>
    client(services).patch(key(name), { type: 'merge', body: { spec } });
  const registered = async (name: string) =>
    (await client(ipAddresses).list()).items
      .filter(({ spec }) => spec?.parentRef?.name === name)
      .map(({ metadata }) => (metadata.name?.includes(':') ? 'IPv6' : 'IPv4'))
      .sort();

  it('have one of each where they ask for it, and give one back when they ask for less', async () => {
    const { spec } = await create('both', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] });
    assert.equal(spec?.clusterIP, spec?.clusterIPs?.[0]);
    assert.match(spec?.clusterIPs?.join(' ') ?? '', /^fd00:96::[\da-f]+ 10\.96\.0\.\d$/);
    assert.deepEqual(await registered('both'), ['IPv4', 'IPv6']);
    assert.equal(
      await refusal(change('both', { ipFamilies: ['IPv6'] })),
      'Service "both" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family',
    );
    const less = await change('both', { ipFamilyPolicy: 'SingleStack' });
    assert.deepEqual([less.spec?.ipFamilies, less.spec?.clusterIPs], [['IPv6'], [spec?.clusterIP]]);
    assert.deepEqual(await registered('both'), ['IPv6']);
    const more = await change('both', { ipFamilyPolicy: 'PreferDualStack' });
    assert.deepEqual([more.spec?.ipFamilies, more.spec?.clusterIPs?.length], [['IPv6', 'IPv4'], 2]);
    await client(services).delete(key('both'));
    assert.deepEqual(await registered('both'), []);
  });

  it('give back the first address when there is none of the second family', async () => {
    const wanted = { clusterIP: 'fd00:96::77', clusterIPs: ['fd00:96::77', '10.97.0.1'] };
    assert.equal(
      await refusal(create('half', { ipFamilyPolicy: 'RequireDualStack', ...wanted })),
      'Service "half" is invalid: spec.clusterIPs: Invalid value: ["fd00:96::77","10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range',
    );
    assert.deepEqual(await registered('half'), []);
  });

  it('come from further ranges once those are ready, and not from one that goes', async () => {
    for (let count = 0; count < 5; count++) await create(`web-${count}`, {});
    const full = 'Internal error occurred: failed to allocate a serviceIP: range is full';
    assert.equal(await refusal(create('late', {})), full);
    const more = await client(serviceCIDRs).create({
      metadata: { name: 'more', finalizers: ['example.com/held'] },
      spec: { cidrs: ['10.98.0.0/24'] },
    });
    assert.equal(await refusal(create('late', {})), full);
    const condition = { type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
    await client(serviceCIDRs).updateStatus({ ...more, status: { conditions: [condition] } });
    assert.match((await create('late', {})).spec?.clusterIP ?? '', /^10\.98\.0\.\d+$/);
    assert.equal((await create('named', { clusterIP: '10.98.0.200' })).spec?.clusterIP, '10.98.0.200');
    await client(serviceCIDRs).delete({ namespace: '', name: 'more' });
    const later: Service = { metadata: key('later'), spec: { ports: [{ port: 80 }], clusterIP: '10.98.0.201' } };
    await eventually('nothing comes from the range any more', async () => {
      const outcome = client(services).create(later, { dryRun: true });
      return outcome.then(
        () => false,
        (error: unknown) => hasReason(error, 'Invalid'),
      );
    });
  });

  it('have a ServiceCIDR that says it is ready', async () => {
    const { spec, status } = await client(serviceCIDRs).get({ namespace: '', name: 'kubernetes' });
    assert.deepEqual(spec?.cidrs, ranges);
    assert.deepEqual(
      status?.conditions?.map(({ type, status: value, message }) => [type, value, message]),
      [['Ready', 'True', 'Kubernetes default Service CIDR is ready']],
    );
  });
});
