import assert from 'node:assert/strict';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';
import { DeviceLedger } from './device-ledger.ts';

const claim = (resourceVersion: string, device?: string): ResourceClaim => ({
  metadata: { namespace: 'ns', name: 'c', uid: 'u', resourceVersion },
  spec: {},
  ...(device === undefined ? {} : { status: { allocation: { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device }] } } } }),
});
const id = 'd/p/a';

describe('which devices claims have', () => {
  it('is known as soon as they are chosen, and until they are given back', () => {
    const ledger = new DeviceLedger();
    ledger.setKnown(claim('1'));
    ledger.assume(claim('1'), [id]);
    assert.ok(ledger.has(id) && ledger.isBeingAllocated(claim('1')));
    // The finalizer comes first.
    ledger.setKnown(claim('2'));
    assert.ok(ledger.has(id) && ledger.isBeingAllocated(claim('2')));
    ledger.written(claim('3', 'a'));
    assert.ok(ledger.has(id) && !ledger.isBeingAllocated(claim('2')));
    assert.equal(ledger.newest(claim('2')).metadata.resourceVersion, '3');
    ledger.setKnown(claim('3', 'a'));
    assert.ok(ledger.has(id));
    ledger.setKnown(claim('4'));
    assert.ok(!ledger.has(id));
  });

  it('is free again when nothing comes of it, but not what was written', () => {
    const ledger = new DeviceLedger();
    ledger.assume(claim('1'), [id]);
    ledger.forget(claim('1'));
    assert.ok(!ledger.has(id));
    ledger.assume(claim('1'), [id]);
    ledger.written(claim('2', 'a'));
    ledger.forget(claim('1'));
    assert.ok(ledger.has(id));
    // A list that was too late for the allocation, and finds it undone.
    ledger.setKnown(claim('5'));
    assert.ok(!ledger.has(id));
  });

  it('is free again when the API says that nothing was written', () => {
    const ledger = new DeviceLedger();
    ledger.assume(claim('1'), [id]);
    ledger.written(claim('1'));
    assert.ok(!ledger.has(id) && !ledger.isBeingAllocated(claim('1')));
  });

  it('ends with the claim', () => {
    const ledger = new DeviceLedger();
    ledger.setKnown(claim('1', 'a'));
    ledger.assume({ ...claim('1'), metadata: { uid: 'other' } }, ['d/p/b']);
    ledger.remove(claim('1', 'a'));
    ledger.remove({ ...claim('1'), metadata: { uid: 'other' } });
    assert.ok(!ledger.has(id) && !ledger.has('d/p/b'));
  });
});
