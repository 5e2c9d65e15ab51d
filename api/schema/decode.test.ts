import assert from 'node:assert/strict';
import { parseJSON } from '../serialization/json.ts';
import { decode } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { getDefinitionSchema } from './definition-schema.ts';
import { orderFields } from './order-fields.ts';

const schemaOf = (name: string) => getDefinitionSchema(name.startsWith('io.') ? name : `io.k8s.api.${name}`);
const crd = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition';

describe('decode', () => {
  const errors: [string, unknown, string][] = [
    [
      'apps.v1.Deployment',
      { spec: { replicas: 'x' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'apps.v1.Deployment',
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'core.v1.Pod',
      { spec: { containers: [{ env: [{ value: 1 }] }] } },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      'core.v1.Pod',
      { metadata: { labels: 'x' } },
      'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      'core.v1.Pod',
      { metadata: { labels: { a: true } } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      'core.v1.Pod',
      { spec: { containers: {} } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'core.v1.Pod',
      { spec: { containers: [{ imagePullPolicy: 1 }] } },
      'json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
    ],
    ['core.v1.Pod', [], 'json: cannot unmarshal array into Go value of type v1.Pod'],
    [
      'core.v1.Pod',
      { spec: { containers: [{ resources: { limits: { cpu: 'abc' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      'core.v1.Pod',
      { metadata: { creationTimestamp: 'now' } },
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    ['core.v1.Secret', { data: { a: 'YQ' } }, 'illegal base64 data at input byte 0'],
    ['core.v1.Secret', { data: { a: 'YWJj!' } }, 'illegal base64 data at input byte 4'],
    [
      'core.v1.Service',
      { spec: { ports: [{ port: 3_000_000_000 }] } },
      'json: cannot unmarshal number 3000000000 into Go struct field ServicePort.spec.ports.port of type int32',
    ],
    [
      'core.v1.Service',
      { spec: { ports: [{ targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [
      'core.v1.Pod',
      { spec: { activeDeadlineSeconds: 2n ** 63n } },
      'json: cannot unmarshal number 9223372036854775808 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64',
    ],
  ];
  for (const [name, value, message] of errors) {
    it(`refuses ${name} ${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))}`, () => {
      assert.throws(() => decode(value, schemaOf(name)), new DecodeError(message));
    });
  }

  it('reports the first error of the document', () => {
    assert.throws(() => decode({ spec: { hostname: 1 }, metadata: { name: 1 } }, schemaOf('core.v1.Pod')), /PodSpec\.spec\.hostname/);
  });

  const zeros: [string, object, object][] = [
    ['core.v1.Service', {}, { metadata: {}, spec: {}, status: { loadBalancer: {} } }],
    ['rbac.v1.ClusterRole', { rules: null }, { metadata: {}, rules: null }],
    ['rbac.v1.ClusterRole', { rules: [] }, { metadata: {}, rules: null }],
    ['core.v1.LimitRange', {}, { metadata: {}, spec: { limits: null } }],
    ['storage.v1.CSINode', { spec: { drivers: [] } }, { metadata: {}, spec: { drivers: null } }],
    [
      `${crd}Status`,
      { conditions: [], storedVersions: [] },
      { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] },
    ],
    [
      'apps.v1.Deployment',
      { spec: { template: {} } },
      { metadata: {}, spec: { template: { metadata: {}, spec: { containers: [] } }, strategy: {} }, status: {} },
    ],
    [
      'core.v1.Event',
      { message: '' },
      {
        metadata: {},
        involvedObject: {},
        source: {},
        firstTimestamp: null,
        lastTimestamp: null,
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      },
    ],
    ['core.v1.ConfigMap', { data: {}, immutable: false, binaryData: null }, { metadata: {}, immutable: false }],
    ['core.v1.ConfigMap', { data: { a: null } }, { metadata: {}, data: { a: '' } }],
  ];
  for (const [name, value, expected] of zeros) {
    it(`writes what Go writes for ${name} ${JSON.stringify(value)}`, () =>
      assert.deepEqual(decode(value, schemaOf(name)).object, expected));
  }

  it('drops and reports unknown fields, names being case-sensitive', () => {
    const { object, unknownFields } = decode(
      { Kind: 'x', metadata: { name: 'a', foo: 1 }, spec: { containers: [{ name: 'c', Image: 'i', ports: [{ x: 1 }] }] } },
      schemaOf('core.v1.Pod'),
    );
    assert.deepEqual(unknownFields, ['Kind', 'metadata.foo', 'spec.containers[0].Image', 'spec.containers[0].ports[0].x']);
    assert.deepEqual(object, {
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 0 }], resources: {} }] },
      status: {},
    });
  });

  it('stops collecting unknown fields at a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, 1]));
    assert.equal(decode(many, schemaOf('core.v1.Pod')).unknownFields.length, 100);
  });

  it('treats __proto__ and constructor as plain keys of maps', () => {
    const { value } = parseJSON('{"metadata":{"labels":{"__proto__":"a","constructor":"b"}},"__proto__":{"x":1}}');
    const { object, unknownFields } = decode(value, schemaOf('core.v1.ConfigMap'));
    assert.deepEqual(unknownFields, ['__proto__']);
    const labels = (object['metadata'] as { labels: Record<string, string> }).labels;
    assert.deepEqual(Object.entries(labels).sort(), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    assert.equal(Object.getPrototypeOf(labels), Object.prototype);
  });

  it('brings values into canonical form', () => {
    const pod = {
      metadata: { creationTimestamp: '2025-01-01T02:00:00.9+02:00', labels: { b: '2', a: '1' } },
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1000m', memory: 1024 } } }] },
    };
    const { object } = decode(pod, schemaOf('core.v1.Pod'));
    assert.equal(
      JSON.stringify(object),
      '{"metadata":{"creationTimestamp":"2025-01-01T00:00:00Z","labels":{"a":"1","b":"2"}},"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1","memory":"1024"}}}]},"status":{}}',
    );
  });

  it('keeps values of any shape and reads nested schemas of a CRD', () => {
    const schema = {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { default: { x: [1, null] }, nope: 1 } },
      items: { type: 'string', nope: 2 },
      additionalProperties: true,
    };
    const value = {
      spec: {
        group: 'g',
        names: { plural: 'p', kind: 'K' },
        scope: 'Cluster',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
    const { object, unknownFields } = decode(value, schemaOf(crd));
    const [version] = (object['spec'] as { versions: { schema: { openAPIV3Schema: unknown } }[] }).versions;
    assert.deepEqual(version?.schema.openAPIV3Schema, {
      ...schema,
      properties: { a: { default: { x: [1, null] } } },
      items: { type: 'string' },
    });
    assert.deepEqual(unknownFields, ['spec.versions[0].schema.openAPIV3Schema.properties.a.nope']);
  });

  it('is idempotent and leaves fields in their order', () => {
    const pod = {
      status: { phase: 'Running' },
      spec: { nodeName: 'n', containers: [{ image: 'i', name: 'c' }] },
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'x' },
    };
    const schema = schemaOf('core.v1.Pod');
    const once = decode(pod, schema).object;
    assert.equal(JSON.stringify(decode(once, schema).object), JSON.stringify(once));
    assert.equal(orderFields(once, schema), once);
    assert.equal(
      JSON.stringify(
        orderFields(
          {
            spec: { nodeName: 'n', containers: [{ resources: {}, image: 'i', name: 'c' }] },
            status: { phase: 'Running' },
            metadata: { name: 'x' },
            apiVersion: 'v1',
            kind: 'Pod',
          },
          schema,
        ),
      ),
      JSON.stringify(once),
    );
  });

  describe('what a strategic merge patch has made', () => {
    const patched: [string, object, string][] = [
      ['core.v1.ConfigMap', { data: 'x' }, 'cannot restore map from string'],
      ['core.v1.ConfigMap', { data: { a: 5 } }, 'cannot convert int64 to string'],
      ['core.v1.ConfigMap', { binaryData: { a: 5 } }, 'cannot restore slice from int64'],
      ['core.v1.ConfigMap', { binaryData: { a: '!' } }, 'error decoding from json: illegal base64 data at input byte 0'],
      ['core.v1.ConfigMap', { immutable: 'yes' }, 'unrecognized type: bool'],
      ['core.v1.Secret', { type: 5 }, 'cannot convert int64 to v1.SecretType'],
      ['core.v1.Pod', { spec: 'x' }, 'cannot restore struct from: string'],
    ];
    for (const [name, value, message] of patched)
      it(message, () => assert.throws(() => decode(value, schemaOf(name), 'unstructured'), new DecodeError(message)));
    it('keeps the low bits of a number that does not fit', () => {
      const { object } = decode({ spec: { replicas: 4_294_967_298 } }, schemaOf('apps.v1.ReplicaSet'), 'unstructured');
      assert.deepEqual((object['spec'] as { replicas?: number }).replicas, 2);
    });
  });
});
