import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { ipAddresses } from '../../../api/resources/networking/v1/ip-address.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import type { ServiceCIDR } from '../../../api/types/networking-v1.ts';
import { startManualPlane } from '../testing/manual-plane.ts';
import { serviceCIDRController } from './controller.ts';
import { isRemovable } from './is-removable.ts';

const cidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } });

describe('ServiceCIDRs that can go', () => {
  const own = cidr('own', '10.0.1.0/24', 'fd00::/112');
  const cases: readonly (readonly [title: string, others: ServiceCIDR[], addresses: string[], expected: boolean])[] = [
    ['without addresses', [], [], true],
    ['with an address of its own', [], ['10.0.1.7'], false],
    ['with an address of its own in the other family', [cidr('a', '10.0.0.0/16')], ['10.0.1.7', 'fd00::7'], false],
    ['with addresses of others', [], ['10.0.2.7', 'fd00::1:7'], true],
    ['within another', [cidr('a', '10.0.0.0/16', 'fd00::/64')], ['10.0.1.7', 'fd00::7'], true],
    ['within two others', [cidr('a', '10.0.0.0/16'), cidr('b', 'fd00::/112')], ['10.0.1.7', 'fd00::7'], true],
    ['around another that has its addresses', [cidr('a', '10.0.1.0/28')], ['10.0.1.7'], true],
    ['around another, whose broadcast address it gave', [cidr('a', '10.0.1.0/28')], ['10.0.1.15'], false],
    ['beside another', [cidr('a', '10.0.2.0/24', 'fd00::/64')], ['10.0.1.7'], false],
  ];
  for (const [title, others, addresses, expected] of cases)
    it(title, () => assert.equal(isRemovable(own, [own, ...others], addresses), expected));
});

describe('service-cidr-controller', () => {
  it('declares ranges ready, and lets them go when nobody has an address from nowhere else', async () => {
    const { client, clock, finish } = startManualPlane([serviceCIDRController]);
    const key = { namespace: '', name: 'more' };
    const find = () => ignoreNotFound(client(serviceCIDRs).get(key));
    try {
      await client(serviceCIDRs).create(cidr('more', '10.0.1.0/24'));
      await clock.advance(1);
      const created = await find();
      assert.deepEqual(created?.metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer']);
      assert.deepEqual(
        created?.status?.conditions?.map(({ type, status, message }) => [type, status, message]),
        [['Ready', 'True', 'Kubernetes Service CIDR is ready']],
      );
      const labels = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
      const parentRef = { resource: 'services', namespace: 'default', name: 'web' };
      await client(ipAddresses).create({ metadata: { name: '10.0.1.7', labels }, spec: { parentRef } });
      await client(serviceCIDRs).delete(key);
      await clock.advance(20_000);
      assert.deepEqual(
        (await find())?.status?.conditions?.map(({ status, reason }) => [status, reason]),
        [['False', 'Terminating']],
      );
      await client(ipAddresses).delete({ namespace: '', name: '10.0.1.7' });
      await clock.advance(1);
      assert.equal(await find(), undefined);
      await client(serviceCIDRs).create(cidr('more', '10.0.1.0/24'));
      await clock.advance(1);
      await client(serviceCIDRs).delete(key);
      await clock.advance(9_000);
      assert.ok(await find());
      await clock.advance(1_000);
      assert.equal(await find(), undefined);
    } finally {
      await finish();
    }
  });
});
