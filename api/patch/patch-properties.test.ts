import assert from 'node:assert/strict';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import type { JSONObject } from '../base/json-object.ts';
import { createSeededRandom } from '../base/testing/seeded-random.ts';
import { fuzzRuns, fuzzSeed } from '../schema/testing/fuzz-runs.ts';
import { allKinds, type KindOfSchema, randomObject } from '../schema/testing/random-value.ts';
import { patchObject } from './patch-object.ts';
import { jsonDiff, mergeDiff, strategicDiff } from './testing/diff.ts';
import type { PatchType } from './patch-type.ts';
import { formatJSON } from '../base/format-json.ts';

const pairsPerKind = fuzzRuns(20, 1000);
const kinds = allKinds();

type Diff = (from: JSONObject, to: JSONObject, kind: KindOfSchema) => unknown;
const diffs: readonly [PatchType, Diff][] = [
  ['application/json-patch+json', (from, to) => jsonDiff(from, to)],
  ['application/merge-patch+json', mergeDiff],
  ['application/strategic-merge-patch+json', (from, to, { schema }) => strategicDiff(from, to, schema)],
];

describe(`${pairsPerKind} pairs of random objects of each of ${kinds.length} kinds`, () => {
  for (const [type, diff] of diffs) {
    it(`${type}: the difference of two, applied to the one, yields the other`, function () {
      this.timeout(3_600_000);
      for (const kind of kinds) {
        const { schema } = kind;
        for (let run = 0; run < pairsPerKind; run++) {
          const random = createSeededRandom(fuzzSeed() + run);
          const from = deepFreeze(randomObject(random, kind)) as JSONObject;
          const to = deepFreeze(randomObject(random, kind)) as JSONObject;
          const patch = deepFreeze(diff(from, to, kind));
          const patched = patchObject({ type, object: from, patch, schema }) as JSONObject;
          assert.deepEqual(patched, to, `${kind.apiVersion} ${kind.kind}, run ${run}: ${formatJSON(patch)}`);
          assert.deepEqual(patchObject({ type, object: from, patch: diff(from, from, kind), schema }), from);
          if (type !== 'application/json-patch+json')
            assert.deepEqual(patchObject({ type, object: patched, patch, schema }), to, `${kind.kind}, run ${run}, twice`);
        }
      }
    });
  }
});
