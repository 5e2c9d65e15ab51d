import assert from 'node:assert/strict';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { AllocationResult, ResourceClaim } from '../../../api/types/resource-v1.ts';
import { startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { bindClaims, releaseClaims } from './bind-claims.ts';
import { DeviceLedger } from './device-ledger.ts';

const key = { namespace: 'ns', name: 'c' };
const pod: Pod = { metadata: { namespace: 'ns', name: 'p', uid: 'up' } };
const allocation: AllocationResult = { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device: 'a' }] } };
const id = 'd/p/a';

describe('writing the devices of claims', () => {
  async function setUp(change: (transport: Transport) => Transport = (transport) => transport) {
    const server = new ObjectServer();
    const admin = createClient(server.transport);
    const claim = await admin(resourceClaims).create({ metadata: key, spec: {} });
    const ledger = new DeviceLedger();
    ledger.setKnown(claim);
    ledger.assume(claim, [id]);
    const reservation = { kind: 'devices' as const, claims: [{ claim, allocation }] };
    return { admin, claim, ledger, reservation, dependencies: { client: createClient(change(server.transport)), devices: ledger } };
  }
  const users = ({ status }: DeepReadonly<ResourceClaim>) => (status?.reservedFor ?? []).map(({ name }) => name);

  it('looks again when somebody else has written meanwhile', async () => {
    const { admin, ledger, reservation, dependencies } = await setUp();
    const fresh = await admin(resourceClaims).get(key);
    await admin(resourceClaims).update({ ...fresh, metadata: { ...fresh.metadata, labels: { touched: 'yes' } } });
    await bindClaims(dependencies, pod, reservation);
    const written = await admin(resourceClaims).get(key);
    assert.deepEqual([users(written), written.metadata.labels, written.metadata.finalizers?.length], [['p'], { touched: 'yes' }, 1]);
    assert.ok(ledger.has(id) && !ledger.isBeingAllocated(written));
  });

  it('gives up when another has allocated the claim', async () => {
    const { admin, claim, reservation, dependencies } = await setUp();
    await admin(resourceClaims).updateStatus({ ...claim, status: { allocation } });
    await assert.rejects(bindClaims(dependencies, pod, reservation), /^Error: claim ns\/c got allocated elsewhere in the meantime$/);
  });

  it('gives up when the claim is gone', async () => {
    const { admin, ledger, claim, reservation, dependencies } = await setUp();
    await admin(resourceClaims).delete(key);
    await assert.rejects(bindClaims(dependencies, pod, reservation), /^Error: claim ns\/c got deleted in the meantime$/);
    await releaseClaims(dependencies, pod, reservation);
    ledger.forget(claim);
    assert.ok(!ledger.has(id));
  });

  it('keeps devices that were written although no answer came', async () => {
    const { admin, claim, ledger, reservation, dependencies } = await setUp((transport) => async (request) => {
      const response = await transport(request);
      if (request.method === 'PUT' && request.path.endsWith('/status')) throw new Error('connection lost');
      return response;
    });
    await assert.rejects(bindClaims(dependencies, pod, reservation), /connection lost/);
    ledger.forget(claim);
    assert.ok(ledger.has(id));
    assert.equal(ledger.newest(claim).status?.allocation?.devices?.results?.[0]?.device, 'a');
    assert.deepEqual(users(await admin(resourceClaims).get(key)), ['p']);
  });

  it('leaves the devices with a claim whose pod was not bound, for the next', async () => {
    const plane = await startCompleteServer();
    const client = plane.admin;
    const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };
    const claim = await client(resourceClaims).create({ metadata: { namespace: 'default', name: 'c' }, spec });
    const ledger = new DeviceLedger();
    ledger.assume(claim, ['d.example.com/p/a']);
    const results = [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'a' }];
    const reservation = { kind: 'devices' as const, claims: [{ claim, allocation: { devices: { results } } }] };
    const dependencies = { client, devices: ledger };
    await bindClaims(dependencies, pod, reservation);
    assert.deepEqual(users(await client(resourceClaims).get({ namespace: 'default', name: 'c' })), ['p']);
    await releaseClaims(dependencies, pod, reservation);
    ledger.forget(claim);
    assert.ok(ledger.has('d.example.com/p/a'));
    assert.deepEqual(users(ledger.newest(claim)), []);
    await plane.close();
  });
});
