import assert from 'node:assert/strict';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { systemRandom } from '../../../../api/base/system-random.ts';
import { createSeededRandom } from '../../../../api/base/testing/seeded-random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { createClient } from '../../../../api/client/create-client.ts';
import type { EventRecorder } from '../../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import { endpoints } from '../../../../api/resources/core/v1/endpoints.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import type { Service, ServiceSpec } from '../../../../api/types/core-v1.ts';
import { createResources } from '../../../control-plane/create-resources.ts';
import { encodeProtobuf } from '../../../../api/serialization/protobuf/protobuf.ts';
import { createMemoryStorage } from '../../../storage/memory/memory-storage.ts';
import type { Storage } from '../../../storage/storage.ts';
import { eventually } from '../../testing/complete-server.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../testing/start-api-server.ts';
import { createNodePortRegistry } from './node-port-registry.ts';
import { defaultNodePortRange, PortSet } from './port-set.ts';
import { createNodePortRepair } from './repair-node-ports.ts';

describe('allocation of Services', () => {
  let server: TestAPIServer;
  let client: Client;
  let store: Storage;
  before(async () => {
    server = await startAPIServerInProcess({
      createResources(parts, storage, caches) {
        store = storage;
        const dialer = { send: () => Promise.reject(new Error('there is no network')) };
        return createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer }, parts);
      },
    });
    client = createClient(server.transport, { user: { name: 'admin', groups: ['system:masters'] } });
  });
  after(() => server.close());

  let count = 0;
  const service = (spec: ServiceSpec, name = `web-${++count}`): Service => ({
    metadata: { namespace: 'default', name },
    spec: { ports: [{ port: 80 }], selector: { app: 'web' }, ...spec },
  });
  const create = (spec: ServiceSpec = {}, name?: string) => client(services).create(service(spec, name));
  const findAddress = (address: string) => ignoreNotFound(client(ipAddresses).get({ namespace: '', name: address }));
  const failure = async (work: Promise<unknown>): Promise<StatusError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof StatusError, `not refused: ${String(error)}`);
    return error;
  };
  const takenPorts = () => createNodePortRegistry(store, defaultNodePortRange).update((taken) => taken.all(), true);

  it('gives default/kubernetes the first address', async () => {
    const { spec } = await client(services).get({ namespace: 'default', name: 'kubernetes' });
    assert.equal(spec?.clusterIP, '10.96.0.1');
    assert.deepEqual((await findAddress('10.96.0.1'))?.spec, {
      parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' },
    });
  });

  it('gives an address out of the upper part, registers it and takes it back', async () => {
    const { metadata, spec = {} } = await create();
    const { clusterIP = '' } = spec;
    assert.match(clusterIP, /^10\.(?:9[6-9]|10\d|11[01])\.(?!0\.)|^10\.(?:9[7-9]|10\d|11[01])\./);
    assert.deepEqual(spec.clusterIPs, [spec.clusterIP]);
    assert.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy], [['IPv4'], 'SingleStack']);
    const address = await findAddress(clusterIP);
    assert.deepEqual(address?.metadata.labels, {
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    });
    await client(services).delete({ namespace: 'default', name: metadata.name ?? '' });
    assert.equal(await findAddress(clusterIP), undefined);
  });

  it('gives an address that is asked for, once', async () => {
    assert.equal((await create({ clusterIP: '10.96.0.10' }, 'kube-dns')).spec?.clusterIP, '10.96.0.10');
    const { status } = await failure(create({ clusterIP: '10.96.0.10' }, 'other'));
    assert.equal(status.code, 422);
    assert.equal(
      status.message,
      'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
    assert.deepEqual(
      status.details?.causes?.map(({ field }) => field),
      ['spec.clusterIPs'],
    );
    assert.match(
      (await failure(create({ clusterIP: '192.168.0.1' }))).message,
      /failed to allocate IP 192\.168\.0\.1: the provided network does not match the current range$/,
    );
    assert.match(
      (await failure(create({ clusterIP: '10.96.0.0' }))).message,
      /failed to allocate IP 10\.96\.0\.0: the provided network does not match the current range$/,
    );
  });

  it('gives nothing for a Service that is not written', async () => {
    await failure(create({ clusterIP: '10.96.0.20', type: 'NodePort', ports: [{ port: 80, nodePort: 30_020, name: 'no name' }] }));
    assert.equal(await findAddress('10.96.0.20'), undefined);
    assert.ok(!(await takenPorts()).includes(30_020));
    await client(services).create(service({ clusterIP: '10.96.0.20', type: 'NodePort', ports: [{ port: 80, nodePort: 30_020 }] }), {
      dryRun: true,
    });
    assert.equal(await findAddress('10.96.0.20'), undefined);
    assert.ok(!(await takenPorts()).includes(30_020));
    await create({}, 'taken');
    await failure(create({ clusterIP: '10.96.0.21' }, 'taken'));
    assert.equal(await findAddress('10.96.0.21'), undefined);
  });

  it('gives headless Services and external names no address', async () => {
    const headless = await create({ clusterIP: 'None' });
    assert.deepEqual(
      [headless.spec?.clusterIPs, headless.spec?.ipFamilies, headless.spec?.ipFamilyPolicy],
      [['None'], ['IPv4'], 'SingleStack'],
    );
    const { spec } = await client(services).create({
      metadata: { namespace: 'default', name: 'free' },
      spec: { clusterIP: 'None', ports: [{ port: 80 }] },
    });
    assert.deepEqual([spec?.ipFamilies, spec?.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack']);
    const external = await client(services).create({
      metadata: { namespace: 'default', name: 'ext' },
      spec: { type: 'ExternalName', externalName: 'example.com' },
    });
    assert.deepEqual([external.spec?.clusterIP, external.spec?.ipFamilies], [undefined, undefined]);
  });

  it('refuses families that the cluster does not have', async () => {
    const dual = await failure(create({ ipFamilyPolicy: 'RequireDualStack' }, 'dual'));
    assert.equal(
      dual.message,
      'Service "dual" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    );
    const six = await failure(create({ ipFamilies: ['IPv6'] }, 'six'));
    assert.equal(six.message, 'Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster');
    assert.deepEqual((await create({ ipFamilyPolicy: 'PreferDualStack' })).spec?.ipFamilies, ['IPv4']);
  });

  it('gives node ports, the same for both protocols of a port', async () => {
    const { spec } = await create({
      type: 'NodePort',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'metrics', port: 9153 },
      ],
    });
    const [udp, tcp, metrics] = spec?.ports?.map(({ nodePort = 0 }) => nodePort) ?? [];
    assert.ok(udp !== undefined && udp >= 30_086 && udp <= 32_767, String(udp));
    assert.equal(tcp, udp);
    assert.notEqual(metrics, udp);
  });

  it('refuses node ports that are taken or out of range', async () => {
    const ports = (nodePort: number) => ({ type: 'NodePort', ports: [{ port: 80, nodePort }] }) as const;
    await create({ ...ports(30_080), ports: [...ports(30_080).ports] });
    const message = async (nodePort: number) =>
      (await failure(create({ type: 'NodePort', ports: [{ port: 80, nodePort }] }, 'refused'))).message;
    assert.equal(
      await message(30_080),
      'Service "refused" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    );
    assert.equal(
      await message(80),
      'Service "refused" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  it('keeps, gives and takes back what a change of type asks for', async () => {
    const created = await create({}, 'changing');
    const key = { namespace: 'default', name: 'changing' };
    const patch = (spec: unknown) => client(services).patch(key, { type: 'merge', body: { spec } });
    const exposed = await patch({ type: 'NodePort' });
    assert.equal(exposed.spec?.clusterIP, created.spec?.clusterIP);
    const port = exposed.spec?.ports?.[0]?.nodePort ?? 0;
    assert.ok((await takenPorts()).includes(port));
    // A client that knows nothing of what was allocated writes the same again.
    const again = await client(services).update(service({ type: 'NodePort' }, 'changing'));
    assert.deepEqual([again.spec?.clusterIP, again.spec?.ports?.[0]?.nodePort], [created.spec?.clusterIP, port]);
    const hidden = await patch({
      type: 'ClusterIP',
      ports: [...(again.spec?.ports ?? []).map((port) => ({ ...port, name: 'a' })), { name: 'b', port: 81 }],
    });
    assert.equal(hidden.spec?.ports?.[0]?.nodePort, undefined);
    assert.ok(!(await takenPorts()).includes(port));
    const external = await patch({ type: 'ExternalName', externalName: 'example.com' });
    assert.equal(external.spec?.clusterIP, undefined);
    assert.equal(await findAddress(created.spec?.clusterIP ?? ''), undefined);
    assert.ok((await patch({ type: 'ClusterIP', externalName: null })).spec?.clusterIP);
    assert.match((await failure(patch({ clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] }))).message, /may not change once set$/);
    assert.equal(await findAddress('10.96.0.99'), undefined);
  });

  it('gives load balancers that look at nodes a port for it', async () => {
    const { spec } = await create({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, 'lb');
    const { healthCheckNodePort = 0, ports = [] } = spec ?? {};
    assert.ok(healthCheckNodePort > 30_000 && ports[0]?.nodePort !== healthCheckNodePort);
    assert.ok((await takenPorts()).includes(healthCheckNodePort));
    await client(services).delete({ namespace: 'default', name: 'lb' });
    assert.ok(!(await takenPorts()).includes(healthCheckNodePort));
    const { spec: without } = await create({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false });
    assert.equal(without?.ports?.[0]?.nodePort, undefined);
  });

  it('never gives the same to two Services that are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, () => create({ type: 'NodePort' })));
    assert.equal(new Set(made.map(({ spec }) => spec?.clusterIP)).size, 40);
    assert.equal(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size, 40);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => create({ clusterIP: '10.96.0.77', type: 'NodePort', ports: [{ port: 80, nodePort: 30_077 }] })),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('takes the Endpoints of a deleted Service along', async () => {
    await create({}, 'by-hand');
    await client(endpoints).create({ metadata: { namespace: 'default', name: 'by-hand' }, subsets: [] });
    await client(services).delete({ namespace: 'default', name: 'by-hand' });
    assert.equal(await ignoreNotFound(client(endpoints).get({ namespace: 'default', name: 'by-hand' })), undefined);
  });

  it('writes a Service whose address another attempt has left behind', async () => {
    await client(ipAddresses).create({
      metadata: { name: '10.96.0.55' },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'left' } },
    });
    assert.match((await failure(create({ clusterIP: '10.96.0.55' }, 'right'))).message, /already allocated$/);
    assert.equal((await create({ clusterIP: '10.96.0.55' }, 'left')).spec?.clusterIP, '10.96.0.55');
  });

  it('brings allocations and Services together again', async () => {
    const { spec } = await create({ type: 'NodePort' }, 'lost');
    const address = spec?.clusterIP ?? '';
    const port = spec?.ports?.[0]?.nodePort ?? 0;
    const nodePorts = createNodePortRegistry(store, defaultNodePortRange);
    const leaked = (await nodePorts.update((taken) => taken.findFree(systemRandom), true)) ?? 0;
    await nodePorts.update((taken) => {
      taken.delete(port);
      taken.add(leaked);
    }, false);
    const said: string[] = [];
    const events: EventRecorder = { event: (regarding, _type, reason) => void said.push(`${regarding.name} ${reason}`) };
    const repair = createNodePortRepair({ client, events, nodePorts });
    await repair();
    assert.deepEqual(said, ['lost PortNotAllocated']);
    const taken = await takenPorts();
    assert.ok(taken.includes(port) && taken.includes(leaked));
    await repair();
    await repair();
    assert.ok(!(await takenPorts()).includes(leaked));
    assert.ok((await takenPorts()).includes(port));
    await client(ipAddresses).delete({ namespace: '', name: address });
    await eventually('the address is registered again', async () => (await findAddress(address)) !== undefined);
    assert.equal((await findAddress(address))?.spec?.parentRef?.name, 'lost');
  });

  it('goes on with what another server has stored', async () => {
    const first = createNodePortRegistry(store, defaultNodePortRange);
    const second = createNodePortRegistry(store, defaultNodePortRange);
    const random = createSeededRandom(1);
    const take = (registry: typeof first) =>
      registry.update((taken) => {
        const port = taken.findFree(random) ?? 0;
        taken.add(port);
        return port;
      }, false);
    const ports = [await take(first), await take(second), await take(first), ...(await Promise.all([take(first), take(second)]))];
    assert.equal(new Set(ports).size, ports.length);
    await first.update((taken) => ports.forEach((port) => taken.delete(port)), false);
  });

  it('goes on with what upstream has stored in protobuf', async () => {
    const storage = createMemoryStorage({ clock: systemClock });
    const taken = new PortSet(defaultNodePortRange);
    taken.add(30_007);
    const value = encodeProtobuf(
      Object.assign({ apiVersion: 'v1', kind: 'RangeAllocation' }, { range: '30000-32767', data: taken.encode() }),
    );
    await storage.commit({ conditions: [], operations: [{ type: 'put', key: '/registry/ranges/servicenodeports', value }] });
    assert.deepEqual(await createNodePortRegistry(storage, defaultNodePortRange).update((ports) => [...ports.all()], true), [30_007]);
    await storage.close();
  });
});
