import assert from 'node:assert/strict';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import { StatusError } from '../meta/status.ts';
import { decode } from '../schema/decode.ts';
import { getDefinitionSchema } from '../schema/definition-schema.ts';
import { applyPatch } from './apply-patch.ts';
import { fieldSetOf } from './field-set.ts';
import { type AppliedObject, updateManagedFields } from './update-managed-fields.ts';
import { convertNow, noOtherVersion } from './versions.ts';

type JSONObject = Record<string, unknown>;

/** One object of one kind and the operations on it: apply, forceApply and update, each by a named manager. */
class Cluster {
  readonly #apiVersion: string;
  readonly #kind: string;
  readonly #schema;
  #live: AppliedObject | undefined;
  #minute = 0;

  constructor(apiVersion: string, kind: string, definition: string) {
    this.#apiVersion = apiVersion;
    this.#kind = kind;
    this.#schema = getDefinitionSchema(definition);
  }

  get object(): JSONObject {
    const { apiVersion: _, kind: __, metadata, ...rest } = this.#live ?? { metadata: {} };
    const { managedFields: ___, name: ____, ...others } = metadata as JSONObject;
    return { ...(Object.keys(others).length > 0 && { metadata: others }), ...rest };
  }

  get managers(): JSONObject {
    return Object.fromEntries(
      (this.#live?.metadata.managedFields ?? []).map((entry) => [
        `${entry.manager} ${entry.operation}${entry.subresource ? ` ${entry.subresource}` : ''}`,
        entry.fieldsV1,
      ]),
    );
  }

  get times(): (string | null | undefined)[] {
    return (this.#live?.metadata.managedFields ?? []).map(({ time }) => time);
  }

  #whole(fields: JSONObject): JSONObject {
    const { metadata, ...rest } = fields;
    return { apiVersion: this.#apiVersion, kind: this.#kind, metadata: { name: 'x', ...(metadata as JSONObject) }, ...rest };
  }

  #now(): string {
    return `2024-01-01T00:${String(this.#minute++).padStart(2, '0')}:00Z`;
  }

  #store(object: JSONObject): this {
    this.#live = deepFreeze(decode(object, this.#schema).object) as AppliedObject;
    return this;
  }

  apply(manager: string, fields: JSONObject, force = false, subresource = ''): this {
    const applied = deepFreeze(this.#whole(fields)) as JSONObject;
    const request = { schema: this.#schema, apiVersion: this.#apiVersion, kind: this.#kind, live: this.#live, applied, now: this.#now() };
    return this.#store(convertNow(applyPatch({ ...request, manager, force, subresource }), noOtherVersion));
  }

  forceApply(manager: string, fields: JSONObject): this {
    return this.apply(manager, fields, true);
  }

  update(manager: string, fields: JSONObject, options: { managedFields?: unknown; reset?: string; subresource?: string } = {}): this {
    const decoded = decode(this.#whole(fields), this.#schema).object as unknown as AppliedObject;
    const sent = 'managedFields' in options ? options.managedFields : this.#live?.metadata.managedFields;
    const metadata = { ...decoded.metadata, managedFields: sent as NonNullable<AppliedObject['metadata']['managedFields']> };
    const updated = deepFreeze({ ...decoded, metadata }) as AppliedObject;
    const request = { schema: this.#schema, apiVersion: this.#apiVersion, live: this.#live, updated, manager, now: this.#now() };
    const steps = updateManagedFields({
      ...request,
      subresource: options.subresource ?? '',
      ...(options.reset ? { resetFields: fieldSetOf([`f:${options.reset}`]) } : {}),
    });
    const managedFields = convertNow(steps, noOtherVersion);
    return this.#store({ ...decoded, metadata: { ...decoded.metadata, ...(managedFields ? { managedFields } : {}) } });
  }
}

const configMap = () => new Cluster('v1', 'ConfigMap', 'io.k8s.api.core.v1.ConfigMap');
const deployment = () => new Cluster('apps/v1', 'Deployment', 'io.k8s.api.apps.v1.Deployment');
const service = () => new Cluster('v1', 'Service', 'io.k8s.api.core.v1.Service');

/** A minimal Deployment with some containers. */
function web(containers: JSONObject[], more: JSONObject = {}): JSONObject {
  return { spec: { selector: { matchLabels: { a: 'b' } }, template: { spec: { containers } }, ...more } };
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return `${error.code} ${error.message}`;
  }
  return 'no error';
}

describe('apply', () => {
  it('creates and owns what it says', () => {
    const cluster = configMap().apply('a', { metadata: { labels: { l: '1' } }, data: { x: '1' } });
    assert.deepEqual(cluster.object, { metadata: { labels: { l: '1' } }, data: { x: '1' } });
    assert.deepEqual(cluster.managers, { 'a Apply': { 'f:data': { 'f:x': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } } });
  });

  it('removes what it does not say any more', () => {
    const cluster = configMap()
      .apply('a', { data: { x: '1', y: '2' } })
      .apply('a', { data: { y: '3' } });
    assert.deepEqual(cluster.object['data'], { y: '3' });
    assert.deepEqual(cluster.managers, { 'a Apply': { 'f:data': { 'f:y': {} } } });
  });

  it('keeps what others own too, and what nobody applied', () => {
    const cluster = configMap()
      .apply('a', { data: { x: '1', y: '2' } })
      .apply('b', { data: { x: '1' } })
      .update('c', { data: { x: '1', y: '2', z: '3' } })
      .apply('a', { data: {} });
    assert.deepEqual(cluster.object['data'], { x: '1', z: '3' });
    assert.deepEqual(cluster.managers, {
      'a Apply': { 'f:data': {} },
      'b Apply': { 'f:data': { 'f:x': {} } },
      'c Update': { 'f:data': { 'f:z': {} } },
    });
  });

  it('leaves a map that it empties to whoever owns it as a whole', () => {
    const cluster = configMap()
      .apply('a', { data: { k: '1' } })
      .apply('b', { data: {} })
      .apply('a', { metadata: { labels: { l: '1' } } });
    assert.deepEqual(cluster.object, { metadata: { labels: { l: '1' } } });
    assert.deepEqual(cluster.managers, { 'a Apply': { 'f:metadata': { 'f:labels': { 'f:l': {} } } }, 'b Apply': { 'f:data': {} } });
  });

  it('applied twice is applied once', () => {
    const fields = web([{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'E', value: 'v' }] }]);
    const once = deployment().apply('a', fields);
    const { object, managers, times } = once;
    once.apply('a', fields);
    assert.deepEqual([once.object, once.managers, once.times], [object, managers, times]);
  });

  it('meets conflicts, unless it says the same', () => {
    const cluster = configMap().update('kubectl-create', { data: { x: '1', y: '2' } });
    assert.equal(
      messageOf(() => cluster.apply('a', { data: { x: '1' } })),
      'no error',
    );
    assert.equal(
      messageOf(() => cluster.apply('a', { data: { x: '2' } })),
      '409 Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.x',
    );
    assert.equal(
      messageOf(() => cluster.apply('b', { data: { x: '2', y: '3' } })),
      '409 Apply failed with 3 conflicts: conflicts with "a":\n- .data.x\nconflicts with "kubectl-create" using v1:\n- .data.x\n- .data.y',
    );
  });

  it('reports conflicts as causes', () => {
    const cluster = deployment().apply('a', web([{ name: 'c', image: 'i:1' }]));
    try {
      cluster.apply('b', web([{ name: 'c', image: 'i:2' }]));
      assert.fail('no conflict');
    } catch (error) {
      assert.ok(error instanceof StatusError);
      assert.equal(error.reason, 'Conflict');
      assert.deepEqual(error.status.details?.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.spec.template.spec.containers[name="c"].image' },
      ]);
    }
  });

  it('takes by force', () => {
    const cluster = configMap()
      .apply('a', { data: { x: '1', y: '1' } })
      .forceApply('b', { data: { x: '2' } });
    assert.deepEqual(cluster.object['data'], { x: '2', y: '1' });
    assert.deepEqual(cluster.managers, { 'a Apply': { 'f:data': { 'f:y': {} } }, 'b Apply': { 'f:data': { 'f:x': {} } } });
  });

  it('owns atomic values as one', () => {
    const cluster = service().apply('a', { spec: { selector: { a: '1', b: '2' } } });
    assert.deepEqual(cluster.managers, { 'a Apply': { 'f:spec': { 'f:selector': {} } } });
    assert.match(
      messageOf(() => cluster.apply('b', { spec: { selector: { a: '1' } } })),
      /conflict with "a": \.spec\.selector$/,
    );
  });

  it('tells list elements apart by their keys, defaulted ones included', () => {
    const cluster = service()
      .apply('a', { spec: { ports: [{ port: 80, targetPort: 1 }] } })
      .apply('b', { spec: { ports: [{ port: 80, protocol: 'UDP' }, { port: 443 }] } })
      .apply('c', { spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 1 }] } });
    assert.deepEqual(Object.keys((cluster.managers['b Apply'] as Record<string, JSONObject>)['f:spec']?.['f:ports'] ?? {}), [
      'k:{"port":80,"protocol":"UDP"}',
      'k:{"port":443,"protocol":"TCP"}',
    ]);
    const { ports } = cluster.object['spec'] as { ports: { port: number; protocol?: string }[] };
    assert.deepEqual(
      ports.map(({ port, protocol }) => `${port}/${protocol}`),
      ['80/TCP', '80/UDP', '443/undefined'],
    );
  });

  it('removes its list elements and leaves those of others', () => {
    const cluster = deployment()
      .apply(
        'a',
        web([
          { name: 'x', image: '1' },
          { name: 'y', image: '1' },
        ]),
      )
      .update(
        'b',
        web([
          { name: 'x', image: '1' },
          { name: 'y', image: '1' },
          { name: 'z', image: '2' },
        ]),
      )
      .apply('a', web([{ name: 'y', image: '1' }]));
    const { template } = cluster.object['spec'] as { template: { spec: { containers: { name: string }[] } } };
    assert.deepEqual(
      template.spec.containers.map(({ name }) => name),
      ['y', 'z'],
    );
  });

  it('merges sets', () => {
    const cluster = configMap()
      .apply('a', { metadata: { finalizers: ['f/1', 'f/2'] } })
      .apply('b', { metadata: { finalizers: ['f/3', 'f/2'] } });
    assert.deepEqual((cluster.object['metadata'] as JSONObject)['finalizers'], ['f/1', 'f/3', 'f/2']);
    assert.deepEqual(cluster.managers['b Apply'], { 'f:metadata': { 'f:finalizers': { 'v:"f/2"': {}, 'v:"f/3"': {} } } });
    cluster.apply('a', {});
    assert.deepEqual((cluster.object['metadata'] as JSONObject)['finalizers'], ['f/3', 'f/2']);
    assert.deepEqual(Object.keys(cluster.managers), ['b Apply']);
  });

  it('keeps the order of the configuration, others in between', () => {
    const names = (cluster: Cluster) =>
      (cluster.object['spec'] as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers
        .map(({ name }) => name)
        .join('');
    const containers = (text: string) => web([...text].map((name) => ({ name, image: 'i' })));
    const cases: [string, string, string][] = [
      ['abc', 'cba', 'cba'],
      ['axb', 'ab', 'axb'],
      ['axb', 'ba', 'xba'],
      ['ab', 'anb', 'anb'],
      ['xy', 'ab', 'xyab'],
      ['axby', 'bca', 'xbyca'],
    ];
    for (const [live, applied, expected] of cases) {
      const cluster = deployment().update('u', containers(live)).apply('a', containers(applied));
      assert.equal(names(cluster), expected, `${live} + ${applied}`);
    }
  });

  it('names what existed before somebody managed the object', () => {
    const cluster = configMap()
      .update('u', { data: { x: '1' } })
      .update('u', { data: { x: '1' } }, { managedFields: [] });
    assert.deepEqual(cluster.managers, {});
    cluster.update('u', { data: { x: '2' } });
    assert.deepEqual(cluster.managers, {});
    cluster.apply('a', { data: { y: '1' } });
    assert.deepEqual(cluster.managers, {
      'a Apply': { 'f:data': { 'f:y': {} } },
      'before-first-apply Update': { 'f:data': { '.': {}, 'f:x': {} } },
    });
  });

  it('takes over from client-side apply', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { x: '1', y: '1' } });
    const cluster = configMap().update('kubectl-client-side-apply', {
      metadata: { annotations: { [annotation]: last } },
      data: { x: '1', y: '1' },
    });
    assert.match(
      messageOf(() => cluster.apply('other', { data: { x: '2' } })),
      /^409 /,
    );
    cluster.apply('kubectl', { data: { x: '2' } });
    assert.deepEqual(cluster.object['data'], { x: '2', y: '1' });
    const { annotations } = cluster.object['metadata'] as { annotations: Record<string, string> };
    assert.equal(annotations[annotation], '{"apiVersion":"v1","data":{"x":"2"},"kind":"ConfigMap","metadata":{"name":"x"}}\n');
  });

  it('refuses what it cannot merge', () => {
    const refuse = (fields: JSONObject) => messageOf(() => deployment().apply('a', fields));
    const subject = '500 failed to create typed patch object (/x; apps/v1, Kind=Deployment): ';
    assert.equal(refuse({ spec: { replica: 1 } }), `${subject}.spec.replica: field not declared in schema`);
    assert.equal(refuse({ spec: { replicas: 'a' } }), `${subject}.spec.replicas: expected numeric (int or float), got string`);
    assert.equal(
      refuse(web([{ name: 'a' }, { name: 'a' }])),
      `${subject}.spec.template.spec.containers: duplicate entries for key [name="a"]`,
    );
    assert.equal(refuse({ apiVersion: 'v1' }), '400 invalid object type: /v1, Kind=Deployment');
    assert.equal(refuse({ metadata: { managedFields: [] } }), '400 metadata.managedFields must be nil');
  });
});

describe('managed fields of other writers', () => {
  it('a creator owns all but the structs that are always there', () => {
    const pod = new Cluster('v1', 'Pod', 'io.k8s.api.core.v1.Pod').update('kubectl-run', {
      metadata: { labels: { run: 'x' } },
      spec: {
        containers: [{ name: 'x', image: 'i', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }],
        nodeSelector: { a: 'b' },
      },
    });
    assert.deepEqual(pod.managers, {
      'kubectl-run Update': {
        'f:metadata': { 'f:labels': { '.': {}, 'f:run': {} } },
        'f:spec': {
          'f:containers': {
            'k:{"name":"x"}': {
              '.': {},
              'f:image': {},
              'f:name': {},
              'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
              'f:resources': {},
            },
          },
          'f:nodeSelector': {},
        },
      },
    });
  });

  it('take what they change and lose what goes', () => {
    const cluster = configMap()
      .apply('a', { data: { x: '1', y: '1' } })
      .update('b', { data: { x: '2', y: '1' } })
      .update('c', { data: { x: '2' } });
    assert.deepEqual(cluster.managers, { 'b Update': { 'f:data': { 'f:x': {} } } });
    assert.deepEqual(cluster.times, ['2024-01-01T00:01:00Z']);
  });

  it('the same manager counts once for an operation, version and subresource', () => {
    const cluster = new Cluster('v1', 'Pod', 'io.k8s.api.core.v1.Pod')
      .update('m', { spec: { containers: [{ name: 'a' }] } }, { reset: 'status' })
      .update('m', { spec: { containers: [{ name: 'a' }], hostNetwork: true } }, { reset: 'status' })
      .update(
        'm',
        { spec: { containers: [{ name: 'a' }], hostNetwork: true }, status: { phase: 'Running' } },
        { reset: 'spec', subresource: 'status' },
      );
    assert.deepEqual(cluster.managers['m Update status'], { 'f:status': { 'f:phase': {} } });
    assert.deepEqual(Object.keys(cluster.managers), ['m Update', 'm Update status']);
  });

  it('do not own what the request cannot change', () => {
    const pod = new Cluster('v1', 'Pod', 'io.k8s.api.core.v1.Pod');
    pod.update('m', { spec: { containers: [{ name: 'a' }] }, status: { phase: 'Running' } }, { reset: 'status' });
    assert.deepEqual(Object.keys(pod.managers['m Update'] as JSONObject), ['f:spec']);
  });

  it('are kept when a client does not send them, and can be edited', () => {
    const cluster = configMap().update('a', { data: { x: '1' } });
    const { managers } = cluster;
    cluster.update('b', { data: { x: '1' } }, { managedFields: undefined });
    assert.deepEqual(cluster.managers, managers);
    cluster.update(
      'b',
      { data: { x: '1' } },
      { managedFields: [{ manager: 'a', operation: 'Spam', apiVersion: 'v1', fieldsType: 'FieldsV1' }] },
    );
    assert.deepEqual(cluster.managers, managers);
    const entry = { manager: 'new', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:x': {} } } };
    cluster.update('b', { data: { x: '1' } }, { managedFields: [entry] });
    assert.deepEqual(cluster.managers, { 'new Update': { 'f:data': { 'f:x': {} } } });
  });

  it('the oldest updaters become one', () => {
    const cluster = configMap();
    const data: Record<string, string> = {};
    for (let i = 0; i < 13; i++) {
      data[`k${i}`] = 'v';
      cluster.update(`m${String(i).padStart(2, '0')}`, { data });
    }
    assert.equal(Object.keys(cluster.managers).length, 10);
    assert.deepEqual(cluster.managers['ancient-changes Update'], { 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} } });
  });

  it('take __proto__ and constructor as data', () => {
    const data = JSON.parse('{"__proto__":"x","constructor":"y"}') as JSONObject;
    const cluster = configMap().apply('a', { data });
    assert.equal(JSON.stringify(cluster.managers), '{"a Apply":{"f:data":{"f:__proto__":{},"f:constructor":{}}}}');
    assert.equal(JSON.stringify(cluster.object['data']), '{"__proto__":"x","constructor":"y"}');
    cluster.apply('a', { data: JSON.parse('{"__proto__":"z"}') as JSONObject });
    assert.equal(JSON.stringify(cluster.object['data']), '{"__proto__":"z"}');
    assert.equal(
      messageOf(() => cluster.apply('b', { data: JSON.parse('{"__proto__":"q"}') as JSONObject })),
      '409 Apply failed with 1 conflict: conflict with "a": .data.__proto__',
    );
  });
});
