import assert from 'node:assert/strict';
import { shapeProblem } from './patch-shape.ts';
import type { PatchType } from './patch-type.ts';

describe('the form of a patch', () => {
  const table: [PatchType, unknown, string | undefined][] = [
    ['application/json-patch+json', [{ op: 'add', path: '/a', value: 1 }], undefined],
    ['application/json-patch+json', null, undefined],
    ['application/json-patch+json', [null], undefined],
    ['application/json-patch+json', {}, 'json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'],
    ['application/json-patch+json', [[]], 'json: cannot unmarshal array into Go value of type handlers.jsonPatchOp'],
    ['application/json-patch+json', [{ op: true }], 'json: cannot unmarshal bool into Go struct field jsonPatchOp.op of type string'],
    ['application/merge-patch+json', {}, undefined],
    ['application/merge-patch+json', null, undefined],
    ['application/merge-patch+json', [], 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['application/merge-patch+json', 1, 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
    ['application/strategic-merge-patch+json', [], undefined],
  ];
  for (const [type, patch, problem] of table)
    it(`${type} ${JSON.stringify(patch)}: ${problem ?? 'fits'}`, () => assert.equal(shapeProblem(type, patch), problem));
});
