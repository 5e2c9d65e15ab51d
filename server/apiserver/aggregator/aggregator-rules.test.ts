import assert from 'node:assert/strict';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { parseQuery, parseRequestInfo } from '../request/request-info.ts';
import { localAPIService, planRegistration } from '../bootstrap/api-services.ts';
import { createDelegations } from './delegations.ts';
import { identityHeaders } from './identity-headers.ts';
import { indexSwagger, mergeSwagger, readSwagger } from '../documents/merge-openapi.ts';
import { readAggregatedDiscovery, readResourceList } from './read-discovery.ts';
import { createDiscoveryOrder } from '../served/group-priorities.ts';

const remote = (version: string, group: string): APIService => ({
  metadata: { name: `${version}.${group}` },
  spec: { group, version, groupPriorityMinimum: 1, versionPriority: 1, service: { namespace: 'n', name: 's' } },
});

const listerOf = (objects: readonly DeepReadonly<APIService>[]): Lister<APIService> => ({
  find: ({ name }) => objects.find(({ metadata }) => metadata.name === name),
  list: () => [...objects],
  byIndex: () => [],
  version: () => 1,
});

describe('requests for other API servers', () => {
  const delegations = createDelegations(
    listerOf([
      remote('v1', 'ext.example.com'),
      remote('v1', 'apiregistration.k8s.io'),
      remote('v1', ''),
      localAPIService('apps', 'v1', 'onstart', { groupPriorityMinimum: 1, versionPriority: 1 }),
    ]),
  );
  for (const [path, isFound] of [
    ['/apis/ext.example.com/v1', true],
    ['/apis/ext.example.com/v1/', true],
    ['/apis/ext.example.com/v1/echoes', true],
    ['/apis/ext%2Eexample.com/v1/echoes', true],
    ['/apis/ext.example.com/v1/namespaces/a/echoes/b/status', true],
    ['/apis/ext.example.com/v1/watch/echoes', true],
    ['/apis/ext.example.com', false],
    ['/apis/ext.example.com/v2/echoes', false],
    ['/apis/ext.example.com/v1x', false],
    ['/api/ext.example.com/v1/echoes', false],
    ['/api/v1/pods', false],
    ['/api/v1', false],
    ['/apis/apps/v1/deployments', false],
    ['/apis/apiregistration.k8s.io/v1/apiservices', false],
    ['/apis//ext.example.com/v1/echoes', false],
  ] as const)
    it(`${path}: ${isFound}`, () => assert.equal(delegations.find(parseRequestInfo('GET', path, parseQuery(''))) !== undefined, isFound));
});

describe('the identity that is told to other API servers', () => {
  it('has a line for each group and value, and keys that a header can hold', () => {
    assert.deepEqual(
      identityHeaders({ name: 'jane', uid: '7', groups: ['a,b', 'système'], extra: { 'scopes.example/X%': ['one', ''], none: [] } }),
      {
        'x-remote-user': 'jane',
        'x-remote-uid': '7',
        'x-remote-group': ['a,b', 'système'],
        'x-remote-extra-scopes.example%2FX%25': ['one', ''],
      },
    );
    assert.deepEqual(identityHeaders({ name: 'x', groups: [] }), { 'x-remote-user': 'x' });
  });

  for (const name of ['', ' root', 'root ', 'root\n', 'a\r\nX-Remote-User: root', 'a\0', '\u00a0root', 'a\u0085b'])
    it(`is refused where it would be another: ${JSON.stringify(name)}`, () => {
      assert.throws(() => identityHeaders({ name, groups: [] }), { code: 503 });
      if (name !== '') assert.throws(() => identityHeaders({ name: 'a', groups: [], extra: { k: [name] } }), { code: 503 });
    });
});

describe('registration of APIServices', () => {
  const once = localAPIService('apps', 'v1', 'onstart', { groupPriorityMinimum: 10, versionPriority: 1 });
  const always = localAPIService('example.com', 'v1', 'true', { groupPriorityMinimum: 1000, versionPriority: 100 });
  const changed = (service: APIService): APIService => ({
    ...service,
    spec: { groupPriorityMinimum: 5, versionPriority: 5, group: service.spec?.group ?? '', version: 'v1' },
  });
  const foreign: APIService = { ...changed(always), metadata: { name: 'v1.example.com' } };
  const cases: readonly (readonly [
    what: string,
    present: APIService | undefined,
    wanted: APIService | undefined,
    isFirst: boolean,
    step: string,
  ])[] = [
    ['built in, absent at the start', undefined, once, true, 'create'],
    ['built in, changed at the start', changed(once), once, true, 'update'],
    ['built in, unchanged', once, once, true, 'nothing'],
    ['built in, deleted later', undefined, once, false, 'nothing'],
    ['built in, changed later', changed(once), once, false, 'nothing'],
    ['built in before, served no more', once, undefined, true, 'delete'],
    ['custom, absent', undefined, always, false, 'create'],
    ['custom, changed', changed(always), always, false, 'update'],
    ['custom, unchanged', always, always, false, 'nothing'],
    ['custom, served no more', always, undefined, false, 'delete'],
    ["somebody else's in the place of a custom one", foreign, always, false, 'nothing'],
    ["somebody else's", foreign, undefined, true, 'nothing'],
    ['nothing', undefined, undefined, false, 'nothing'],
  ];
  for (const [what, present, wanted, isFirst, step] of cases)
    it(`${what}: ${step}`, () => assert.equal(planRegistration(present, wanted, isFirst).do, step));
});

describe('the order of discovery', () => {
  it('goes by the priorities of APIServices, the highest of a group counts', () => {
    const order = createDiscoveryOrder([
      { group: 'z.example', version: 'v1', groupPriority: 20_000, versionPriority: 1 },
      { group: 'low.example', version: 'v1', groupPriority: 10, versionPriority: 1 },
      { group: 'apps', version: 'v2', groupPriority: 1, versionPriority: 900 },
      { group: 'low.example', version: 'v2beta1', groupPriority: 5, versionPriority: 1 },
      { group: 'low.example', version: 'foo', groupPriority: 5, versionPriority: 2 },
    ]);
    assert.deepEqual(['low.example', 'crd.example', 'apps', 'z.example'].sort(order.compareGroups), [
      'z.example',
      'apps',
      'crd.example',
      'low.example',
    ]);
    assert.deepEqual(
      ['v1', 'v2'].sort((a, b) => order.compareVersions('apps', a, b)),
      ['v2', 'v1'],
    );
    assert.deepEqual(
      ['v2beta1', 'v1', 'foo'].sort((a, b) => order.compareVersions('low.example', a, b)),
      ['foo', 'v1', 'v2beta1'],
    );
  });
});

describe('discovery of other API servers', () => {
  const list = (resources: unknown) => JSON.stringify({ kind: 'APIResourceList', groupVersion: 'g/v1', resources });
  it('is read from the old form, subresources below their resources', () => {
    const found = readResourceList(
      list([
        { name: 'a/status', kind: 'A', namespaced: true, verbs: ['get'] },
        { name: 'a', kind: 'A', singularName: 'one', namespaced: true, verbs: ['get', 'list', 5], shortNames: ['x'], categories: [] },
        { name: 'a/scale', kind: 'Scale', group: 'autoscaling', version: 'v1', namespaced: true, verbs: ['get'] },
        'no object',
      ]),
      'g',
      'v1',
    );
    assert.deepEqual(found, [
      {
        ...{
          resource: 'a',
          responseKind: { group: 'g', version: 'v1', kind: 'A' },
          scope: 'Namespaced',
          singularResource: 'one',
          verbs: ['get', 'list'],
          shortNames: ['x'],
        },
        subresources: [
          { subresource: 'status', responseKind: { group: 'g', version: 'v1', kind: 'A' }, verbs: ['get'] },
          { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get'] },
        ],
      },
    ]);
  });

  it('holds nothing but what belongs there', () => {
    const items = [
      { metadata: { name: 'other' }, versions: [{ version: 'v1', resources: [{ resource: 'evil' }] }] },
      {
        metadata: { name: 'g' },
        versions: [
          null,
          {
            version: 'v1',
            resources: [
              { resource: 'a', scope: 5, verbs: 'get', more: { x: 1 }, responseKind: null, subresources: [{}, { subresource: 's' }] },
              {},
              7,
            ],
          },
        ],
      },
    ];
    assert.deepEqual(readAggregatedDiscovery(JSON.stringify({ items }), 'g', 'v1'), [
      {
        ...{ resource: 'a', responseKind: { group: '', version: '', kind: '' }, scope: 'Cluster', singularResource: '', verbs: [] },
        subresources: [{ subresource: 's', responseKind: { group: '', version: '', kind: '' }, verbs: [] }],
      },
    ]);
    assert.equal(readAggregatedDiscovery(JSON.stringify({ items }), 'g', 'v2'), undefined);
  });

  for (const text of [
    '',
    '[]',
    'null',
    '{}',
    '{"items":{}}',
    '{"resources":5,"groupVersion":"g/v1"}',
    '{"resources":[],"groupVersion":"h/v1"}',
    '[[[[',
  ])
    it(`is refused: ${text}`, () => {
      assert.throws(() => readResourceList(text, 'g', 'v1'));
      assert.throws(() => readAggregatedDiscovery(text, 'g', 'v1'));
    });
});

describe('OpenAPI v2 of other API servers', () => {
  const own = {
    swagger: '2.0',
    info: { title: 'a "paths":{ b' },
    paths: { '/own': { get: {} } },
    definitions: { Same: { type: 'object' }, Other: { a: '}"{', type: 'object' } },
    security: [],
  };
  const merge = async (base: object, ...parts: Parameters<typeof mergeSwagger>[1]) => {
    const indexed = indexSwagger(Buffer.from(JSON.stringify(base)));
    assert.ok(indexed);
    return JSON.parse(Buffer.from(await mergeSwagger(indexed, parts, async () => {})).toString()) as typeof own;
  };
  const part = (definitions: object, paths: object = {}) => readSwagger(JSON.stringify({ swagger: '2.0', paths, definitions }), 'g', 'v1');

  it('adds the paths of the group version, and definitions under names that are free', async () => {
    const paths = {
      '/apis/g/v1/x': { get: { $ref: '#/definitions/Other' } },
      '/apis/g/v1': { get: {} },
      '/apis/g/v10/x': {},
      '/apis/h/v1/x': {},
      '/own': {},
    };
    const found = await merge(
      own,
      part(
        { Same: { type: 'object' }, Other: { type: 'string', of: { $ref: '#/definitions/Same' } }, New: { $ref: '#/definitions/Other' } },
        paths,
      ),
    );
    assert.deepEqual(Object.keys(found.paths), ['/apis/g/v1/x', '/apis/g/v1', '/own']);
    assert.deepEqual(found.paths, {
      '/own': { get: {} },
      '/apis/g/v1': { get: {} },
      '/apis/g/v1/x': { get: { $ref: '#/definitions/Other_v2' } },
    });
    assert.deepEqual(found.definitions, {
      ...own.definitions,
      Other_v2: { type: 'string', of: { $ref: '#/definitions/Same' } },
      New: { $ref: '#/definitions/Other_v2' },
    });
    assert.deepEqual([found.info, found.security], [own.info, own.security]);
  });

  it('keeps two servers apart that mean different things by one name', async () => {
    const found = await merge(own, part({ A: { type: 'string' } }), part({ A: { type: 'number' } }), part({ A: { type: 'string' } }));
    assert.deepEqual(found.definitions, { ...own.definitions, A: { type: 'string' }, A_v2: { type: 'number' } });
  });

  it('goes into a document without paths and definitions, and leaves it as it is without parts', async () => {
    assert.deepEqual(await merge({ paths: {}, definitions: {} }, part({ A: {} }, { '/apis/g/v1/x': {} })), {
      paths: { '/apis/g/v1/x': {} },
      definitions: { A: {} },
    });
    assert.deepEqual(await merge(own), own);
    assert.equal(indexSwagger(Buffer.from('{"paths":{}}')), undefined);
    assert.equal(indexSwagger(Buffer.from('{"paths":[],"definitions":{}}')), undefined);
  });

  for (const text of ['', '{}', '[]', '{"paths":[]}', '{"paths":{}', `{"paths":${'['.repeat(100_000)}`])
    it(`is refused: ${text.slice(0, 20)}`, () => assert.throws(() => readSwagger(text, 'g', 'v1')));
});
