import assert from 'node:assert/strict';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runThroughLifecycle } from '../../framework/crud-lifecycle.ts';

const spec = { devices: { requests: [{ name: 'request', exactly: { deviceClassName: 'none.example.com' } }] } };

export default conformanceTest({
  name: '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]',
  release: 'v1.35',
  behavior:
    'ResourceClaims MUST be created, read, listed, watched, patched, updated and deleted, one or all; their status MUST be read, patched and updated by itself.',
  async run({ client, namespace }) {
    await runThroughLifecycle({ client, resource: resourceClaims, namespace, label: namespace, make: (metadata) => ({ metadata, spec }) });
    const key = { namespace, name: 'claim' };
    await client(resourceClaims).create({ metadata: key, spec });
    const results = [{ request: 'request', driver: 'dra.example.com', pool: 'pool', device: 'device' }];
    const patched = await client(resourceClaims).patch(
      key,
      { type: 'merge', body: { status: { allocation: { devices: { results } } } } },
      { subresource: 'status' },
    );
    assert.equal(patched.status?.allocation?.devices?.results?.[0]?.device, 'device');
    const fresh = structuredClone(await client(resourceClaims).get(key)) as ResourceClaim;
    const reservedFor = [{ resource: 'pods', name: 'pod', uid: '12345' }];
    const updated = await client(resourceClaims).updateStatus({ ...fresh, spec: {}, status: { ...fresh.status, reservedFor } });
    // The spec is not taken from there.
    assert.deepEqual([updated.status?.reservedFor?.length, updated.spec.devices?.requests?.length], [1, 1]);
    await client(resourceClaims).delete(key);
  },
});
