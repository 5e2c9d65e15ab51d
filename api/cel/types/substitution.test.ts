import assert from 'node:assert/strict';
import { systemClock } from '../../base/system-clock.ts';
import { Substitution } from './substitution.ts';
import { type CELType, dynType, intType, listType, mapType, stringType } from './types.ts';

const paramType = (name: string): CELType => ({ kind: 'param', name, params: [] });
const [A, B] = [paramType('A'), paramType('B')];

describe('the types of type parameters', () => {
  it('are kept where all fit', () => {
    const substitution = new Substitution();
    assert.equal(substitution.assignAll([intType, listType(stringType)], [A, listType(B)]), true);
    assert.deepEqual([substitution.apply(A), substitution.apply(B)], [intType, stringType]);
  });

  it('are as before where one does not fit, however many were found till then', () => {
    const substitution = new Substitution();
    assert.equal(substitution.assign(intType, A), true);
    assert.equal(substitution.assignAll([stringType, mapType(intType, intType), stringType], [B, mapType(A, B), A]), false);
    assert.deepEqual([substitution.apply(A), substitution.apply(B)], [intType, B]);
    assert.equal(substitution.assignAll([dynType, stringType], [A, listType(B)]), false);
    assert.deepEqual([substitution.apply(A), substitution.apply(B)], [intType, B]);
    assert.equal(substitution.assign(stringType, B), true);
    assert.deepEqual(substitution.apply(B), stringType);
  });

  it('are found in the same time for each expression, however many there were before', () => {
    const substitution = new Substitution();
    const count = 20_000;
    const startMs = systemClock.monotonicMs();
    for (let index = 0; index < count; index++) assert.equal(substitution.assign(intType, paramType(`T${index}`)), true);
    // Some 40 ms; with a copy for each it was minutes.
    assert.ok(systemClock.monotonicMs() - startMs < 20_000);
  });
});
