import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Stored {
  metadata: Record<string, unknown> & { name: string; uid: string; resourceVersion: string; generation?: number };
  [field: string]: unknown;
}

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const configMap = (name: string, data: Record<string, string> = { a: '1' }, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

describeOnEachStore('writing through the API', (store) => {
  let server: TestAPIServer;
  let api: APICaller;
  before(async () => {
    server = await startAPIServerInProcess(store());
    api = createAPICaller(server.transport);
  });
  after(() => server.close());

  describe('create', () => {
    it('sets what the server owns and answers 201 with the stored object', async () => {
      const { status, body } = await api.post<Stored>(maps, configMap('created', { a: '1' }, { uid: 'x', generation: 7 }));
      assert.equal(status, 201);
      assert.deepEqual([body['kind'], body['apiVersion'], body.metadata['namespace']], ['ConfigMap', 'v1', 'default']);
      assert.match(body.metadata.uid, /^[0-9a-f]{8}-/);
      assert.match(String(body.metadata['creationTimestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      // Kinds whose generation nobody counts keep what they are told.
      assert.equal(body.metadata.generation, 7);
      assert.match(body.metadata.resourceVersion, /^\d+$/);
      const read = await api.get<Stored>(`${maps}/created`);
      assert.deepEqual(read.body, body);
    });
    it('ends what is written in one line with a newline, and nothing else', async () => {
      const { text: created } = await api.post(maps, configMap('line'));
      const { text: read } = await api.get(`${maps}/line`);
      const { text: small } = await api.get('/api/v1/namespaces/default');
      const { text: table } = await api.get(maps, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
      for (const text of [created, read, small, table]) assert.match(text.slice(-20), /[}\]]\n$/);
      const { text: indented } = await api.get(`${maps}/line?pretty=true`);
      assert.match(indented.slice(-20), /\n}$/);
      await api.delete(`${maps}/line`);
    });
    it('makes names out of generateName', async () => {
      const { body } = await api.post<Stored>(maps, { ...configMap(''), metadata: { generateName: 'gen-' } });
      assert.match(body.metadata.name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    });
    it('clears the status and counts the generation from 1', async () => {
      const { body } = await api.post<Stored>(deployments, { ...deployment('fresh'), status: { replicas: 5 } });
      assert.deepEqual([body['status'], body.metadata.generation], [{}, 1]);
    });
    it('stores nothing with dryRun=All', async () => {
      const { status, body } = await api.post<Stored>(`${maps}?dryRun=All`, configMap('dry'));
      assert.deepEqual([status, body.metadata.name], [201, 'dry']);
      assert.equal((await api.get(`${maps}/dry`)).status, 404);
      assert.equal((await api.post(`${maps}?dryRun=All`, configMap('created'))).status, 409);
    });
    it('records who owns the fields', async () => {
      const { body } = await api.post<Stored>(`${maps}?fieldManager=me`, configMap('owned'));
      const [entry] = body.metadata['managedFields'] as Record<string, unknown>[];
      assert.deepEqual(
        [entry?.['manager'], entry?.['operation'], entry?.['fieldsV1']],
        ['me', 'Update', { 'f:data': { '.': {}, 'f:a': {} } }],
      );
    });

    const failures: [string, string, unknown, number, string, string][] = [
      ['a name that is taken', maps, configMap('created'), 409, 'AlreadyExists', 'configmaps "created" already exists'],
      [
        'another namespace',
        maps,
        configMap('x', {}, { namespace: 'other' }),
        400,
        'BadRequest',
        'the namespace of the provided object does not match the namespace sent on the request',
      ],
      [
        'no name',
        maps,
        configMap(''),
        422,
        'Invalid',
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      ],
      [
        'a bad name',
        maps,
        configMap('Bad_Name'),
        422,
        'Invalid',
        `ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      ],
      [
        'another kind',
        maps,
        { apiVersion: 'v1', kind: 'Foo', metadata: { name: 'x' } },
        400,
        'BadRequest',
        'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
      ],
      [
        'a resourceVersion',
        maps,
        configMap('x', {}, { resourceVersion: '5' }),
        500,
        '',
        'resourceVersion should not be set on objects to be created',
      ],
      [
        'an unknown field in strict mode',
        `${maps}?fieldValidation=Strict`,
        { ...configMap('x'), foo: 1 },
        400,
        'BadRequest',
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"',
      ],
      [
        'an option that is none',
        `${maps}?dryRun=Some`,
        configMap('x'),
        422,
        'Invalid',
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
      ],
      [
        'a resource that is not there',
        '/api/v1/namespaces/default/foos',
        {},
        404,
        'NotFound',
        'the server could not find the requested resource',
      ],
    ];
    for (const [what, target, body, code, reason, message] of failures) {
      it(`refuses ${what}`, async () => {
        const failure = await api.failure(api.post(target, body));
        assert.deepEqual([failure.code, failure.reason ?? '', failure.message], [code, reason, message]);
      });
    }
    it('warns of unknown and repeated fields by default', async () => {
      const { headers, status } = await api.post(
        maps,
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"warned"},"data":{"a":"1","a":"2"},"foo":1}',
      );
      assert.equal(status, 201);
      assert.match(headers['warning'] ?? '', /299 - "duplicate field \\"data.a\\"".*299 - "unknown field \\"foo\\""/s);
    });
  });

  describe('update', () => {
    it('replaces, and writes nothing where nothing changes', async () => {
      const { body: created } = await api.post<Stored>(maps, configMap('updated'));
      const { body: changed, status } = await api.put<Stored>(`${maps}/updated`, { ...created, data: { b: '2' } });
      assert.equal(status, 200);
      assert.deepEqual(changed['data'], { b: '2' });
      assert.notEqual(changed.metadata.resourceVersion, created.metadata.resourceVersion);
      const { body: same } = await api.put<Stored>(`${maps}/updated`, changed);
      assert.equal(same.metadata.resourceVersion, changed.metadata.resourceVersion);
      const { body: unconditional } = await api.put<Stored>(`${maps}/updated`, configMap('updated', { b: '2' }));
      assert.equal(unconditional.metadata.resourceVersion, changed.metadata.resourceVersion);
    });
    it('refuses what was made from an older state', async () => {
      const { body: created } = await api.post<Stored>(maps, configMap('conflicting'));
      await api.put(`${maps}/conflicting`, { ...created, data: { b: '2' } });
      const failure = await api.failure(api.put(`${maps}/conflicting`, { ...created, data: { c: '3' } }));
      assert.deepEqual(failure, {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "conflicting": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'conflicting', kind: 'configmaps' },
      });
    });
    it('counts the generation when the spec changes, and keeps the status', async () => {
      const { body: created } = await api.post<Stored>(deployments, deployment('counted'));
      const { body: labelled } = await api.put<Stored>(`${deployments}/counted`, {
        ...created,
        metadata: { ...created.metadata, labels: { a: 'b' } },
        status: { replicas: 9 },
      });
      assert.deepEqual([labelled.metadata.generation, labelled['status']], [1, {}]);
      const { body: scaled } = await api.patch<Stored>(`${deployments}/counted`, 'merge', { spec: { replicas: 2 } });
      assert.equal(scaled.metadata.generation, 2);
      const { body: reported } = await api.patch<Stored>(`${deployments}/counted/status`, 'merge', {
        metadata: { labels: { a: 'c' }, annotations: { d: 'e' } },
        spec: { replicas: 7 },
        status: { observedGeneration: 2 },
      });
      assert.deepEqual([reported.metadata.labels, reported.metadata.annotations], [{ a: 'b' }, { d: 'e' }]);
      assert.deepEqual(reported['status'], { observedGeneration: 2 });
      assert.deepEqual([reported.metadata.generation, (reported['spec'] as { replicas: number }).replicas], [2, 2]);
    });
    const failures: [string, string, unknown, number, string][] = [
      ['an object that is not there', `${maps}/absent`, configMap('absent'), 404, 'configmaps "absent" not found'],
      [
        'another name',
        `${maps}/created`,
        configMap('other'),
        400,
        'the name of the object (other) does not match the name on the URL (created)',
      ],
      [
        'no name',
        `${maps}/created`,
        configMap(''),
        400,
        'the name of the object (created based on URL) was undeterminable: name must be provided',
      ],
    ];
    for (const [what, target, body, code, message] of failures) {
      it(`refuses ${what}`, async () => {
        const failure = await api.failure(api.put(target, body));
        assert.deepEqual([failure.code, failure.message], [code, message]);
      });
    }
    it('tells objects of the same name apart by their uid', async () => {
      const failure = await api.failure(api.put(`${maps}/created`, configMap('created', {}, { uid: 'another' })));
      assert.equal(failure.code, 409);
      assert.match(failure.message ?? '', /Precondition failed: UID in precondition: another, UID in object meta: /);
    });
    it('creates what is not there for the kinds that allow it', async () => {
      const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'put' } };
      const path = '/api/v1/namespaces/default/endpoints/put';
      assert.equal((await api.put(path, endpoints)).status, 201);
      assert.equal((await api.put(path, endpoints)).status, 200);
    });
    it('needs a resourceVersion for the kinds that say so', async () => {
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'put' }, spec: {} };
      const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/put';
      assert.equal((await api.put(path, lease)).status, 201);
      const { code, message } = await api.failure(api.put(path, lease));
      const expected =
        'leases.coordination.k8s.io "put" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update';
      assert.deepEqual([code, message], [422, expected]);
    });
  });

  describe('patch', () => {
    it('takes JSON patch, merge patch and strategic merge patch', async () => {
      await api.post(deployments, deployment('patched'));
      const path = `${deployments}/patched`;
      await api.patch(path, 'json', [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }]);
      await api.patch(path, 'merge', { metadata: { annotations: { c: 'd' } } });
      const { body, status } = await api.patch<Stored>(path, 'strategic', {
        spec: { template: { spec: { containers: [{ name: 'second', image: 'j' }] } } },
      });
      assert.equal(status, 200);
      assert.deepEqual([body.metadata['labels'], body.metadata['annotations']], [{ a: 'b' }, { c: 'd' }]);
      const { template } = body['spec'] as { template: { spec: { containers: { name: string }[] } } };
      assert.deepEqual(
        template.spec.containers.map(({ name }) => name),
        ['second', 'c'],
      );
    });
    it('applies, creating what is not there, and tells of conflicts', async () => {
      const path = `${maps}/applied`;
      const apply = (manager: string, a: string, force = false) =>
        api.patch(`${path}?fieldManager=${manager}${force ? '&force=true' : ''}`, 'apply', configMap('applied', { a }));
      assert.equal((await apply('one', '1')).status, 201);
      assert.equal((await apply('one', '1')).status, 200);
      const failure = await api.failure(apply('two', '2'));
      assert.deepEqual(failure, {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }] },
      });
      assert.deepEqual((await apply('two', '2', true)).body['data'], { a: '2' });
    });
    it('is tried again where another write came between', async () => {
      await api.post(maps, configMap('contended', {}));
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => api.patch(`${maps}/contended`, 'merge', { data: { [`k${index}`]: 'v' } })),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      const { body } = await api.get<{ data: object }>(`${maps}/contended`);
      assert.equal(Object.keys(body.data).length, 20);
    });
    const failures: [string, string, 'json' | 'merge' | 'apply', unknown, number, RegExp][] = [
      [
        'a failed test',
        `${maps}/created`,
        'json',
        [{ op: 'test', path: '/data/a', value: '2' }],
        422,
        /^the server rejected our request due to an error in our request$/,
      ],
      ['what is no patch', `${maps}/created`, 'merge', '{', 400, /^error decoding patch: unexpected end of JSON input$/],
      [
        'another kind',
        `${maps}/created`,
        'merge',
        { kind: 'Pod' },
        422,
        /: converting \(v1\.Pod\) to \(core\.ConfigMap\): unknown conversion$/,
      ],
      ['no kind', `${maps}/created`, 'merge', { apiVersion: 'v2' }, 422, /no kind "ConfigMap" is registered for version "v2" in scheme/],
      ['a list to merge', `${maps}/created`, 'merge', [], 400, /^error decoding patch: json: cannot unmarshal array into Go value/],
      ['no operations', `${maps}/created`, 'json', {}, 400, /into Go value of type \[\]handlers\.jsonPatchOp$/],
      ['an object that is not there', `${maps}/absent`, 'merge', {}, 404, /^configmaps "absent" not found$/],
      [
        'apply without a manager',
        `${maps}/created`,
        'apply',
        configMap('created'),
        422,
        /fieldManager: Required value: is required for apply patch/,
      ],
      [
        'an older resourceVersion',
        `${maps}/created`,
        'merge',
        { metadata: { resourceVersion: '1' }, data: { z: '1' } },
        409,
        /the object has been modified/,
      ],
      [
        'another name',
        `${maps}/created`,
        'merge',
        { metadata: { name: 'b' } },
        400,
        /the name of the object \(b\) does not match the name on the URL \(created\)/,
      ],
    ];
    for (const [what, target, type, body, code, message] of failures) {
      it(`refuses ${what}`, async () => {
        const failure = await api.failure(api.patch(target, type, body));
        assert.equal(failure.code, code);
        assert.match(failure.message ?? '', message);
      });
    }
    it('refuses to apply what is no object', async () => {
      const apply = async (text: string) => (await api.failure(api.patch(`${maps}/created?fieldManager=x`, 'apply', text))).message;
      assert.equal(await apply(''), 'invalid object type: /, Kind=');
      assert.equal(
        await apply('[]'),
        'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
      );
      assert.match((await apply('a: b: c')) ?? '', /^error decoding YAML: error converting YAML to JSON: yaml: line 1: /);
    });
    it('shows the patch where its result cannot be read', async () => {
      const renamed = await api.patch<Stored & { kind: string }>(`${deployments}/patched`, 'strategic', { kind: 'Pod', apiVersion: 'v9' });
      assert.deepEqual([renamed.status, renamed.body.kind], [200, 'Deployment'], 'such a patch says nothing of the kind');
      assert.equal((await api.patch(`${deployments}/patched`, 'strategic', null)).status, 200);
      assert.equal((await api.patch(`${deployments}/patched`, 'json', null)).status, 200);
      const strategic = await api.failure(api.patch(`${deployments}/patched`, 'strategic', { spec: { replicas: 'x' } }));
      assert.equal(strategic.code, 422);
      assert.match(strategic.message ?? '', /^ "" is invalid: patch: Invalid value: "map\[spec:map\[replicas:x\]\]": /);
      const unknown = await api.failure(api.patch(`${maps}/created?fieldValidation=Strict`, 'merge', { foo: 1 }));
      assert.match(unknown.message ?? '', /^ "" is invalid: patch: Invalid value: "\{.*\}": strict decoding error: unknown field "foo"$/);
    });
    it('names the formats it takes', async () => {
      const failure = await api.failure(api.call('PATCH', `${maps}/created`, { body: {}, contentType: 'application/json' }));
      assert.deepEqual(failure, {
        code: 415,
        reason: 'UnsupportedMediaType',
        message: '415: Unsupported Media Type',
        details: {},
      });
    });
  });
});
