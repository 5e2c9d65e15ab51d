import assert from 'node:assert/strict';
import { createSeededRandom } from '../../base/testing/seeded-random.ts';
import { decode } from '../../schema/decode.ts';
import { fuzzRuns, fuzzSeed } from '../../schema/testing/fuzz-runs.ts';
import { allKinds, randomObject } from '../../schema/testing/random-value.ts';
import { parseJSON, stringifyJSON } from '../json.ts';
import { formatYAML, parseYAML } from '../yaml.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf.ts';

const objectsPerKind = fuzzRuns(12, 400);
const kinds = allKinds();

describe(`${objectsPerKind} random objects of each of ${kinds.length} kinds go through JSON, YAML and protobuf`, () => {
  const byVersion = Map.groupBy(kinds, ({ apiVersion }) => apiVersion);
  for (const [apiVersion, ofVersion] of byVersion) {
    it(`of ${apiVersion}`, function () {
      this.timeout(600_000);
      for (const kind of ofVersion) {
        const { schema } = kind;
        for (let run = 1; run <= objectsPerKind; run++) {
          const { object, unknownFields } = decode(randomObject(createSeededRandom(fuzzSeed() + run), kind), schema);
          const what = `${kind.kind}, run ${run}`;
          assert.deepEqual(unknownFields, [], what);
          assert.deepEqual(decode(parseJSON(stringifyJSON(object)).value, schema).object, object, what);
          assert.deepEqual(decode(parseYAML(new TextEncoder().encode(formatYAML(object))).value, schema).object, object, what);
          assert.deepEqual(decodeProtobuf(encodeProtobuf(object)), object, what);
        }
      }
    });
  }
});
