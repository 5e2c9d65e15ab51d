import assert from 'node:assert/strict';
import { StatusError } from '../meta/status.ts';
import { findKindSchema, getDefinitionSchema } from '../schema/definition-schema.ts';
import { jsonMediaType, protobufMediaType, yamlMediaType } from './media-types.ts';
import { encodeProtobuf } from './protobuf/protobuf.ts';
import { readObject, type ReadObjectOptions } from './read-object.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const options = (more: Partial<ReadObjectOptions> = {}): ReadObjectOptions => ({
  expected: { group: 'apps', version: 'v1', kind: 'Deployment' },
  schema: getDefinitionSchema('io.k8s.api.apps.v1.Deployment'),
  fieldValidation: 'Strict',
  isRegistered: ({ group, version, kind }) => findKindSchema(group === '' ? version : `${group}/${version}`, kind) !== undefined,
  ...more,
});
const hpa = options({
  expected: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  schema: getDefinitionSchema('io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'),
});

describe('readObject', () => {
  const refused: [string, ReadObjectOptions, string][] = [
    [
      '',
      options(),
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      '{"kind":',
      options(),
      'the object provided is unrecognized (must be of type Deployment): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"kind":)',
    ],
    [
      'nope',
      options(),
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u') (6e6f7065)",
    ],
    [
      '[1]',
      options(),
      'the object provided is unrecognized (must be of type Deployment): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b315d)',
    ],
    [
      '{"kind":1}',
      options(),
      'the object provided is unrecognized (must be of type Deployment): couldn\'t get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1})',
    ],
    [
      '{"apiVersion":"a/b/c"}',
      options(),
      'the object provided is unrecognized (must be of type Deployment): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})',
    ],
    [
      '{"kind":"Foo","apiVersion":"v1"}',
      options(),
      'Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      options(),
      'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
    ],
    [
      '{"kind":"Deployment","apiVersion":"v1","Kind":"Pod"}',
      options(),
      'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
    ],
    [
      '{"apiver\u017fion":"v1","KIND":"Foo"}',
      options(),
      'Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1"}',
      hpa,
      'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
    ],
    [
      '{"spec":{"replicas":"x"}}',
      options(),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":1.0}}',
      options(),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.0 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":1e2}}',
      options(),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1e2 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":1.0}}}}',
      options(),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.0 into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32',
    ],
    [
      '{"spec":{"foo":1,"paused":true,"paused":false}}',
      options(),
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", duplicate field "spec.paused"',
    ],
  ];
  for (const [text, with_, message] of refused) {
    it(`refuses ${text.slice(0, 60)}`, () => {
      assert.throws(
        () => readObject(bytes(text), jsonMediaType, with_),
        (error) => {
          assert.ok(error instanceof StatusError);
          assert.deepEqual([error.code, error.reason, error.message], [400, 'BadRequest', message]);
          return true;
        },
      );
    });
  }

  it('takes a body without apiVersion and kind, whatever the format', () => {
    const expected = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'x' } };
    for (const [text, mediaType] of [
      ['{"metadata":{"name":"x"}}', jsonMediaType],
      ['metadata: {name: x}', yamlMediaType],
    ] as const) {
      const { object, warnings } = readObject(bytes(text), mediaType, options());
      assert.deepEqual({ kind: object.kind, apiVersion: object.apiVersion, metadata: object.metadata }, expected);
      assert.deepEqual(warnings, []);
    }
    assert.deepEqual(readObject(bytes('null'), jsonMediaType, options()).object.metadata, {});
  });

  it('takes whole numbers that are written as fractions where any number will do', () => {
    const revision = options({
      expected: { group: 'apps', version: 'v1', kind: 'ControllerRevision' },
      schema: getDefinitionSchema('io.k8s.api.apps.v1.ControllerRevision'),
    });
    const { object } = readObject(bytes('{"data":{"a":[1.0,1.5,{"b":1e3}],"c":7},"revision":1}'), jsonMediaType, revision);
    assert.deepEqual(object['data'], { a: [1, 1.5, { b: 1000 }], c: 7 });
    const template = '{"spec":{"template":{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":2.0}}}]}}}}';
    const deployment = readObject(bytes(template), jsonMediaType, options()).object;
    assert.match(JSON.stringify(deployment), /"limits":\{"cpu":"2"\}/);
  });

  it('warns or is silent where asked to', () => {
    const text = bytes('spec:\n  foo: 1\n  paused: true\n  paused: false\n');
    assert.deepEqual(readObject(text, yamlMediaType, options({ fieldValidation: 'Warn' })).warnings, [
      'line 4: key "paused" already set in map',
      'unknown field "spec.foo"',
    ]);
    assert.deepEqual(readObject(text, yamlMediaType, options({ fieldValidation: 'Ignore' })).warnings, []);
    const mixed = bytes('metadata: {name: x, bar: 1}\nfoo: 1\n');
    assert.deepEqual(readObject(mixed, yamlMediaType, options({ fieldValidation: 'Warn' })).warnings, [
      'unknown field "foo"',
      'unknown field "metadata.bar"',
    ]);
  });

  it('reads protobuf, also that of a kind it does not expect', () => {
    const deployment = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'x' }, spec: { replicas: 3 } };
    const { object } = readObject(encodeProtobuf(deployment), protobufMediaType, options());
    assert.equal((object['spec'] as { replicas: number }).replicas, 3);
    assert.throws(
      () => readObject(encodeProtobuf({ kind: 'Pod', apiVersion: 'v1' }), protobufMediaType, options()),
      /converting \(v1\.Pod\) to \(apps\.Deployment\)/,
    );
    assert.throws(() => readObject(bytes('{}'), protobufMediaType, options()), /the object provided is unrecognized/);
  });
});
