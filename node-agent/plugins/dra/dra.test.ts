import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor, type UntypedHandleCall } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { claimNames, claimProblem, isForRequest } from './claim-names.ts';
import { createDRAPlugins } from './dra-plugins.ts';
import { createPodClaims } from './pod-claims.ts';

const podOf = (uid: string, claims: { name: string; request?: string }[] = [{ name: 'gpu' }]): Pod => ({
  metadata: { namespace: 'ns', name: uid, uid },
  spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'shared' }], containers: [{ name: 'main', resources: { claims } }] },
});

const allocated = (...users: string[]): ResourceClaim => ({
  metadata: { namespace: 'ns', name: 'shared' },
  spec: {},
  status: {
    allocation: { devices: { results: [{ request: 'one', driver: 'gpu.example.com', pool: 'p', device: 'd0' }] } },
    reservedFor: users.map((uid) => ({ resource: 'pods', name: uid, uid })),
  },
});

describe('claims of a Pod', () => {
  it('stand for ResourceClaims by name or by template', () => {
    const pod: Pod = {
      metadata: {},
      spec: {
        containers: [],
        resourceClaims: [
          { name: 'named', resourceClaimName: 'c' },
          { name: 'made', resourceClaimTemplateName: 't' },
          { name: 'coming', resourceClaimTemplateName: 't' },
          { name: 'needless', resourceClaimTemplateName: 't' },
        ],
      },
      status: { resourceClaimStatuses: [{ name: 'made', resourceClaimName: 'p-made-x' }, { name: 'needless' }] },
    };
    assert.deepEqual(
      [...claimNames(pod)],
      [
        ['named', 'c'],
        ['made', 'p-made-x'],
        ['coming', undefined],
      ],
    );
  });

  it('may be used when they are allocated and reserved for it', () => {
    assert.equal(claimProblem(allocated('a'), podOf('a')), undefined);
    assert.equal(claimProblem(allocated('b'), podOf('a')), 'pod ns/a is not allowed to use ResourceClaim ns/shared');
    assert.equal(
      claimProblem({ metadata: { namespace: 'ns', name: 'shared' }, spec: {} }, podOf('a')),
      'ResourceClaim ns/shared is not allocated',
    );
  });

  const requests: [string[], string | undefined, boolean][] = [
    [['one'], undefined, true],
    [['one'], 'one', true],
    [['one'], 'two', false],
    [['one/small'], 'one', true],
    [[], 'two', true],
  ];
  for (const [names, request, expected] of requests)
    it(`${names.join() || 'all requests'} ${expected ? 'are' : 'are not'} for ${request ?? 'any'}`, () =>
      assert.equal(isForRequest(names, request), expected));
});

describe('dynamic resources on a node', () => {
  const proto = fileURLToPath(new URL('./dra-v1.proto', import.meta.url));
  type Package = { k8s: { io: { kubelet: { pkg: { apis: { dra: { v1: { DRAPlugin: ServiceClientConstructor } } } } } } } };
  const { DRAPlugin } = (loadPackageDefinition(loadSync(proto, { keepCase: true, defaults: true })) as unknown as Package).k8s.io.kubelet
    .pkg.apis.dra.v1;
  let directory: string;
  let server: Server;
  const said: string[] = [];
  let failure = '';

  before(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'dra-'));
    server = new Server();
    type Asked = { request: { claims: { uid: string; name: string }[] } };
    type Answer = (error: null, response: object) => void;
    const handlers: Record<string, UntypedHandleCall> = {
      NodePrepareResources({ request }: Asked, answer: Answer) {
        said.push(...request.claims.map(({ name }) => `prepare ${name}`));
        const devices = ['one', 'two'].map((name) => ({
          request_names: [name],
          pool_name: 'p',
          device_name: 'd',
          cdi_device_ids: [`example.com/gpu=${name}`],
        }));
        answer(null, {
          claims: Object.fromEntries(request.claims.map(({ uid }) => [uid, failure === '' ? { devices } : { error: failure }])),
        });
      },
      NodeUnprepareResources({ request }: Asked, answer: Answer) {
        said.push(...request.claims.map(({ name }) => `unprepare ${name}`));
        answer(null, { claims: Object.fromEntries(request.claims.map(({ uid }) => [uid, {}])) });
      },
    };
    server.addService(DRAPlugin.service, handlers);
    const socket = `unix://${directory}/dra.sock`;
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(socket, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
  });
  after(() => {
    server.forceShutdown();
    rmSync(directory, { recursive: true });
  });
  const take = () => said.splice(0).join(', ');

  async function setUp(claim: ResourceClaim, record: string) {
    const client = createClient(new ObjectServer().transport);
    const created = await client(resourceClaims).create(claim);
    const plugins = createDRAPlugins(systemClock);
    const meet = () =>
      plugins.meet({ type: 'DRAPlugin', name: 'gpu.example.com', endpoint: `${directory}/dra.sock`, supported_versions: ['v1.DRAPlugin'] });
    const make = () =>
      createPodClaims({
        client,
        files: createHostFiles(),
        logger: silentLogger,
        record: `${directory}/${record}`,
        findDriver: plugins.find,
      });
    return { client, created, meet, make };
  }

  it('are prepared once, given to containers by request, and given back after the last Pod', async () => {
    const { make, meet } = await setUp(allocated('a', 'b'), 'once.json');
    const claims = make();
    await assert.rejects(claims.prepare(podOf('a')), /DRA driver gpu\.example\.com is not registered/);
    const plugin = meet();
    const [a, b] = [podOf('a'), podOf('b', [{ name: 'gpu', request: 'two' }])];
    await Promise.all([claims.prepare(a), claims.prepare(b)]);
    await claims.prepare(a);
    assert.equal(take(), 'prepare shared');
    assert.deepEqual(claims.devicesOf(a, 'main'), ['example.com/gpu=one', 'example.com/gpu=two']);
    assert.deepEqual(claims.devicesOf(b, 'main'), ['example.com/gpu=two']);
    assert.deepEqual([claims.holds(a), claims.holds(podOf('c'))], [true, false]);
    await claims.release(a);
    assert.equal(claims.holds(a), false);
    assert.equal(take(), '');
    await claims.release(b);
    await claims.release(b);
    assert.equal(take(), 'unprepare shared');
    plugin.close();
  });

  it('are remembered by the next agent', async () => {
    const { make, meet } = await setUp(allocated('a'), 'remembered.json');
    const plugin = meet();
    await make().prepare(podOf('a'));
    const next = make();
    // Until it is known better.
    assert.ok(next.holds(podOf('b')));
    await next.prepare(podOf('a'));
    assert.deepEqual(next.devicesOf(podOf('a'), 'main').length, 2);
    await next.release(podOf('a'));
    assert.equal(take(), 'prepare shared, unprepare shared');
    plugin.close();
  });

  it('are tried again after a driver has failed', async () => {
    const { make, meet } = await setUp(allocated('a'), 'failed.json');
    const plugin = meet();
    const claims = make();
    failure = 'no such device';
    await assert.rejects(claims.prepare(podOf('a')), /NodePrepareResources failed for ResourceClaim shared: no such device/);
    failure = '';
    await claims.prepare(podOf('a'));
    assert.equal(take(), 'prepare shared, prepare shared');
    await claims.release(podOf('a'));
    assert.equal(take(), 'unprepare shared');
    plugin.close();
  });

  it('are not for Pods that the claim is not reserved for', async () => {
    const { make, meet } = await setUp(allocated('b'), 'others.json');
    const plugin = meet();
    await assert.rejects(make().prepare(podOf('a')), /is not allowed to use/);
    plugin.close();
  });

  it('come from plugins that speak v1', () => {
    const plugins = createDRAPlugins(systemClock);
    const info = { type: 'DRAPlugin', name: 'x', endpoint: '/x.sock', supported_versions: ['v1.DRAPlugin'] };
    assert.throws(
      () => plugins.meet({ ...info, supported_versions: ['v1alpha4.Node'] }),
      /none of the services v1alpha4\.Node is supported/,
    );
    assert.throws(() => plugins.meet({ ...info, type: 'DevicePlugin' }), /plugins of type DevicePlugin are not supported/);
    const [old, fresh] = [plugins.meet(info), plugins.meet(info)];
    assert.ok(plugins.find('x'));
    old.close();
    assert.ok(plugins.find('x'), 'the newer one is still there');
    fresh.close();
    assert.equal(plugins.find('x'), undefined);
  });
});
