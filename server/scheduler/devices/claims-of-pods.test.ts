import assert from 'node:assert/strict';
import type { Clock } from '../../../api/base/clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { deviceClasses } from '../../../api/resources/resource/v1/device-class.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { resourceClaimTemplates } from '../../../api/resources/resource/v1/resource-claim-template.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import type { PodResourceClaim } from '../../../api/types/core-v1.ts';
import type { DeviceClass, ResourceClaim } from '../../../api/types/resource-v1.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { resourceClaimController } from '../../controllers/resource-claim/controller.ts';
import { runControllers } from '../../controllers/runtime/run-controllers.ts';
import { schedulerPlugins } from '../plugins/plugins.ts';
import { runScheduler } from '../scheduler.ts';

const namespace = 'default';
const driver = 'gpu.example.com';
const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };

/** A clock that shortens every backoff. */
const hurried: Clock = { ...systemClock, setTimer: (ms, fire, options) => systemClock.setTimer(ms / 20, fire, options) };

const within = <T>(what: string, ask: () => Promise<T | undefined | false>) =>
  waitFor(what, ask, { withinSeconds: 10, everyMs: 5, clock: systemClock });

describe('claims of pods, with scheduler and controller', () => {
  let plane: CompleteServer;
  let client: Client;
  let stop: AbortController;
  let running: Promise<unknown>;
  const said: string[] = [];

  beforeEach(async () => {
    plane = await startCompleteServer();
    client = plane.admin;
    stop = new AbortController();
    said.length = 0;
    const parts = { client, clock: hurried, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory(parts);
    const recorder = {
      event: (object: { name?: string }, _type: string, reason: string, message: string) =>
        void said.push(`${object.name} ${reason}: ${message}`),
    };
    const scheduling = runScheduler({ ...parts, informers, recorder, plugins: schedulerPlugins }, stop.signal);
    const controlling = runControllers({
      ...parts,
      controllers: [resourceClaimController],
      clientFor: () => client,
      informersFor: () => informers,
      signal: stop.signal,
      recorderFor: () => recorder,
    });
    running = Promise.all([informers.run(stop.signal), scheduling, controlling]);
    for (const name of ['n', 'm']) await createNode(name);
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await plane.close();
  });

  async function createNode(name: string) {
    await client(nodes).create({ metadata: { name } });
    const resources = { cpu: '4', memory: '4Gi', pods: '110' };
    const body = { status: { allocatable: resources, capacity: resources, conditions: [{ type: 'Ready', status: 'True' }] } };
    await client(nodes).patch({ namespace: '', name }, { type: 'strategic', body }, { subresource: 'status' });
    await client(nodes).patch({ namespace: '', name }, { type: 'merge', body: { spec: { taints: null } } });
  }
  const createClass = (rest: Partial<DeviceClass> = {}) => client(deviceClasses).create({ metadata: { name: 'gpu' }, spec: {}, ...rest });
  const createSlice = (...devices: string[]) =>
    client(resourceSlices).create({
      metadata: { name: 'slice' },
      spec: {
        driver,
        nodeName: 'n',
        pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
        devices: devices.map((name) => ({ name })),
      },
    });
  const createTemplate = () => client(resourceClaimTemplates).create({ metadata: { namespace, name: 't' }, spec: { spec } });
  const createClaim = (name: string) => client(resourceClaims).create({ metadata: { namespace, name }, spec });
  const createPod = (name: string, claim: Omit<PodResourceClaim, 'name'> = { resourceClaimTemplateName: 't' }) =>
    client(pods).create({
      metadata: { namespace, name },
      spec: {
        containers: [{ name: 'c', image: 'i', resources: { claims: [{ name: 'gpu' }] } }],
        resourceClaims: [{ name: 'gpu', ...claim }],
      },
    });
  const bound = (name: string) =>
    within(`pod ${name} to be bound`, async () => {
      const pod = await client(pods).get({ namespace, name });
      return pod.spec?.nodeName ? pod : undefined;
    });
  const claimOf = async (podName: string) => {
    const pod = await bound(podName);
    return client(resourceClaims).get({ namespace, name: pod.status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '' });
  };
  const devicesOf = ({ status }: ResourceClaim) => (status?.allocation?.devices?.results ?? []).map(({ device }) => device).join(' ');
  const heard = (text: string) => within(text, async () => said.find((one) => one.includes(text)));
  const end = (name: string) => client(pods).delete({ namespace, name }, { gracePeriodSeconds: 0 });

  it('are made from templates and get devices of the node', async () => {
    await Promise.all([createClass(), createSlice('a'), createTemplate()]);
    const created = await createPod('p');
    const claim = await claimOf('p');
    assert.match(claim.metadata.name ?? '', /^p-gpu-[a-z0-9]{5}$/);
    assert.deepEqual(claim.metadata.annotations, { 'resource.kubernetes.io/pod-claim-name': 'gpu' });
    assert.deepEqual(claim.metadata.finalizers, ['resource.kubernetes.io/delete-protection']);
    assert.deepEqual(claim.metadata.ownerReferences, [
      { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: created.metadata.uid, controller: true, blockOwnerDeletion: true },
    ]);
    assert.deepEqual(claim.status, {
      allocation: {
        devices: { results: [{ request: 'r', driver, pool: 'n', device: 'a' }] },
        nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] },
      },
      reservedFor: [{ resource: 'pods', name: 'p', uid: created.metadata.uid }],
    });
    assert.equal((await bound('p')).spec?.nodeName, 'n');
  });

  it('wait for their template, class and slice', async () => {
    await createPod('p');
    await heard(
      'p FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
    );
    await createTemplate();
    await heard('p FailedScheduling: 0/2 nodes are available: request r: device class gpu does not exist.');
    await createClass();
    await heard(
      'p FailedScheduling: 0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    );
    await createSlice('a');
    assert.equal(devicesOf(await claimOf('p')), 'a');
  });

  it('are told of expressions that fail, and tried again', async () => {
    const selectors = (expression: string) => ({ spec: { selectors: [{ cel: { expression } }] } });
    const deviceClass = await createClass(selectors(`device.attributes["${driver}"].model == "large"`));
    await Promise.all([createSlice('a'), createTemplate()]);
    await createPod('p');
    const problem = 'running "DynamicResources" filter plugin: class gpu: selector #0: CEL runtime error: no such key: model';
    await heard(`p FailedScheduling: ${problem}`);
    const condition = await within('the condition', async () =>
      (await client(pods).get({ namespace, name: 'p' })).status?.conditions?.find(({ type }) => type === 'PodScheduled'),
    );
    assert.deepEqual([condition.reason, condition.message], ['SchedulerError', problem]);
    await client(deviceClasses).update({ ...deviceClass, ...selectors(`device.driver == "${driver}"`) });
    assert.equal(devicesOf(await claimOf('p')), 'a');
  });

  it('get what others have given back', async () => {
    await Promise.all([createClass(), createSlice('a'), createTemplate()]);
    await createPod('first');
    const claim = await claimOf('first');
    await createPod('second');
    await heard('second FailedScheduling: 0/2 nodes are available: 2 cannot allocate all claims.');
    await end('first');
    assert.equal(devicesOf(await claimOf('second')), 'a');
    const left = await client(resourceClaims).get({ namespace, name: claim.metadata.name ?? '' });
    assert.equal(left.status?.allocation, undefined);
    assert.equal(left.metadata.finalizers, undefined);
  });

  it('never share a device, however many come at once', async () => {
    const devices = Array.from({ length: 12 }, (_, index) => `d${index}`);
    await Promise.all([createClass(), createSlice(...devices), createTemplate()]);
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    await Promise.all(names.map((name) => createPod(name)));
    const allocated = await within('all devices to be given', async () => {
      const claims = (await client(resourceClaims).list({ namespace })).items.filter(({ status }) => status?.allocation !== undefined);
      return claims.length === devices.length ? claims : undefined;
    });
    assert.deepEqual(allocated.map(devicesOf).sort(), [...devices].sort());
    await within(
      'as many pods to be bound',
      async () => (await client(pods).list({ namespace })).items.filter((pod) => pod.spec?.nodeName).length === 12,
    );
  });

  it('are shared by pods that name them, and lose their devices with the last', async () => {
    await Promise.all([createClass(), createSlice('a'), createClaim('shared')]);
    for (const name of ['first', 'second']) await createPod(name, { resourceClaimName: 'shared' });
    await Promise.all([bound('first'), bound('second')]);
    const shared = () => client(resourceClaims).get({ namespace, name: 'shared' });
    const usersOf = ({ status }: ResourceClaim) => (status?.reservedFor ?? []).map(({ name }) => name).sort();
    assert.deepEqual(usersOf(await shared()), ['first', 'second']);
    await client(resourceClaims).delete({ namespace, name: 'shared' });
    await end('first');
    await within('the first to be let go', async () => usersOf(await shared()).join() === 'second');
    assert.equal(devicesOf(await shared()), 'a');
    await end('second');
    await within('the claim to go', async () => (await ignoreNotFound(shared())) === undefined);
  });

  it('lose devices that nobody uses when those keep a pod from its node', async () => {
    await Promise.all([createClass(), createSlice('a')]);
    const claim = await createClaim('idle');
    const values = ['gone'];
    const allocation = {
      devices: { results: [{ request: 'r', driver, pool: 'gone', device: 'x' }] },
      nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values }] }] },
    };
    await client(resourceClaims).updateStatus({ ...claim, status: { allocation } });
    await within('the allocation', async () => devicesOf(await client(resourceClaims).get({ namespace, name: 'idle' })) === 'x');
    await createPod('p', { resourceClaimName: 'idle' });
    await heard('2 resourceclaim not available on the node. deallocation of ResourceClaim completed, preemption:');
    await bound('p');
    assert.equal(devicesOf(await client(resourceClaims).get({ namespace, name: 'idle' })), 'a');
  });

  it('are taken from pods that have ended, and go with them if they were made for them', async () => {
    await Promise.all([createClass(), createSlice('a'), createTemplate()]);
    const pod = await createPod('p');
    const claim = await claimOf('p');
    await client(pods).patch(
      { namespace, name: 'p' },
      { type: 'merge', body: { status: { phase: 'Succeeded' } } },
      { subresource: 'status' },
    );
    await within(
      'the claim to go',
      async () => (await ignoreNotFound(client(resourceClaims).get({ namespace, name: claim.metadata.name ?? '' }))) === undefined,
    );
    assert.ok(pod.metadata.uid);
  });
});
