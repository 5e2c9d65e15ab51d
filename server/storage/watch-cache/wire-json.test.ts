import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJSON } from '../../../api/serialization/json.ts';
import { parseAt, setResourceVersion } from './wire-json.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('wire JSON', () => {
  const cases: [name: string, stored: string, wire: string][] = [
    ['metadata first', '{"metadata":{"name":"a"},"kind":"Pod"}', '{"metadata":{"resourceVersion":"7","name":"a"},"kind":"Pod"}'],
    [
      'metadata last',
      '{"spec":{"x":[1,{"metadata":{}}]},"metadata":{"name":"a"}}',
      '{"spec":{"x":[1,{"metadata":{}}]},"metadata":{"resourceVersion":"7","name":"a"}}',
    ],
    ['empty metadata', '{"metadata":{ }}', '{"metadata":{"resourceVersion":"7" }}'],
    [
      'a resourceVersion already there',
      '{"metadata":{"name":"a","resourceVersion":"123","uid":"u"}}',
      '{"metadata":{"name":"a","resourceVersion":"7","uid":"u"}}',
    ],
    ['an empty resourceVersion', '{"metadata":{"resourceVersion":""}}', '{"metadata":{"resourceVersion":"7"}}'],
    [
      'a resourceVersion elsewhere',
      '{"metadata":{"name":"a"},"involvedObject":{"resourceVersion":"5"}}',
      '{"metadata":{"resourceVersion":"7","name":"a"},"involvedObject":{"resourceVersion":"5"}}',
    ],
    [
      'a label called resourceVersion',
      '{"metadata":{"labels":{"resourceVersion":"x"}}}',
      '{"metadata":{"resourceVersion":"7","labels":{"resourceVersion":"x"}}}',
    ],
    [
      'strings full of braces',
      '{"data":{"a":"}\\"metadata\\":{\\\\"},"metadata":{"name":"a"}}',
      '{"data":{"a":"}\\"metadata\\":{\\\\"},"metadata":{"resourceVersion":"7","name":"a"}}',
    ],
    ['a final line feed', '{"metadata":{"name":"a"}}\n', '{"metadata":{"resourceVersion":"7","name":"a"}}'],
    ['several lines', '{\n "metadata": {\n  "name": "a"\n }\n}\n', '{"metadata":{"name":"a","resourceVersion":"7"}}'],
    ['escaped names', '{"m\\u0065tadata":{"name":"a"}}', '{"metadata":{"name":"a","resourceVersion":"7"}}'],
    [
      'escaped names, large integers',
      '{"\\u006detadata":{},"x":9007199254740993}',
      '{"metadata":{"resourceVersion":"7"},"x":9007199254740993}',
    ],
    ['no metadata', '{"kind":"Pod"}', '{"kind":"Pod","metadata":{"resourceVersion":"7"}}'],
    ['null metadata', '{"metadata":null}', '{"metadata":{"resourceVersion":"7"}}'],
  ];
  for (const [name, stored, wire] of cases) {
    it(`sets the resourceVersion: ${name}`, () => assert.equal(text(setResourceVersion(Buffer.from(stored), 7)), wire));
  }

  for (const broken of ['', 'null', '[]', '{"metadata":', 'k8s\0\n']) {
    it(`refuses ${JSON.stringify(broken)}`, () => {
      assert.throws(() => setResourceVersion(Buffer.from(broken), 7), { name: 'StorageError', reason: 'corrupt' });
    });
  }

  it('changes nothing but the resourceVersion, whatever the object', () => {
    const names = fc.oneof(fc.constantFrom('metadata', 'resourceVersion', 'labels', '__proto__'), fc.string({ unit: 'grapheme' }));
    const value = fc.jsonValue({ noUnicodeString: false });
    const object = fc.dictionary(names, fc.oneof(value, fc.dictionary(names, value)));
    fc.assert(
      fc.property(object, fc.dictionary(names, value), fc.boolean(), (rest, metadata, isPretty) => {
        const stored = JSON.stringify({ ...rest, metadata }, undefined, isPretty ? 1 : 0);
        const wire = setResourceVersion(Buffer.from(stored), 42);
        assert.ok(!wire.includes(10));
        const labels = Object.hasOwn(metadata, 'labels') ? parseJSON(JSON.stringify(metadata['labels'])).value : undefined;
        const expected = parseJSON(JSON.stringify({ ...rest, metadata: { ...metadata, resourceVersion: '42' } })).value;
        assert.deepEqual(parseJSON(wire).value, expected);
        assert.deepEqual(parseAt(wire, ['metadata', 'labels']), labels);
      }),
      { numRuns: 200 },
    );
  });
});
