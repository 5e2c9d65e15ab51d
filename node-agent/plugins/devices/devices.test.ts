import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ContainerConfig } from '../../cri/messages.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { chooseAmong, deviceRequests, settleChoice } from './choose-devices.ts';
import { createDeviceManager } from './device-manager.ts';
import { withDevices } from './with-devices.ts';

const resource = 'example.com/gpu';

function podOf(uid: string, count: number, init = 0): Pod {
  const limits = (amount: number) => ({ resources: { limits: { [resource]: String(amount), cpu: '1' } } });
  return {
    metadata: { uid, name: uid },
    spec: {
      ...(init > 0 ? { initContainers: [{ name: 'init', ...limits(init) }] } : {}),
      containers: [{ name: 'main', ...limits(count) }],
    },
  };
}

describe('choosing devices', () => {
  const request = { container: 'c', resource, count: 2, isPassing: false };
  it('of plugins alone, by limits', () => {
    assert.deepEqual(
      deviceRequests(podOf('p', 2, 1), (name) => name === resource),
      [
        { container: 'init', resource, count: 1, isPassing: true },
        { container: 'main', resource, count: 2, isPassing: false },
      ],
    );
  });

  it('leaves what others have, and uses again what an init container had', () => {
    const healthy = ['a', 'b', 'c', 'd'];
    assert.deepEqual(chooseAmong(request, healthy, new Set(['a']), new Set()), { mustInclude: [], available: ['b', 'c', 'd'] });
    assert.deepEqual(chooseAmong(request, healthy, new Set(['a', 'b']), new Set(['b'])), {
      mustInclude: ['b'],
      available: ['b', 'c', 'd'],
    });
    assert.deepEqual(chooseAmong(request, healthy, new Set(['a', 'b', 'c']), new Set()), {
      problem: `requested number of devices unavailable for ${resource}. Requested: 2, Available: 1`,
    });
  });

  it('follows preferences as far as they make sense', () => {
    const choice = { mustInclude: ['b'], available: ['b', 'c', 'd'] };
    assert.deepEqual(settleChoice(choice, ['d', 'b'], 2), ['b', 'd']);
    assert.deepEqual(settleChoice(choice, ['x'], 2), ['b', 'c']);
    assert.deepEqual(settleChoice(choice, ['c', 'd'], 2), ['b', 'c']);
  });

  it('describes a container with its devices', () => {
    const config = { envs: [{ key: 'A', value: '1' }], mounts: [], devices: [], annotations: { x: 'own' } } as unknown as ContainerConfig;
    const setup = {
      ...{ envs: { GPU: '0' }, annotations: { x: 'theirs', y: 'theirs' }, cdi_devices: [{ name: 'v.com/gpu=0' }] },
      mounts: [{ container_path: '/lib', host_path: '/host/lib', read_only: true }],
      devices: [{ container_path: '/dev/gpu', host_path: '/dev/gpu0', permissions: 'rw' }],
    };
    const made = withDevices(config, [{ resource, ids: ['a'], setup }]);
    assert.deepEqual(made.envs, [
      { key: 'A', value: '1' },
      { key: 'GPU', value: '0' },
    ]);
    assert.deepEqual(made.mounts, [{ container_path: '/lib', host_path: '/host/lib', readonly: true, propagation: 'PROPAGATION_PRIVATE' }]);
    assert.deepEqual([made.devices, made.annotations, made.CDI_devices], [setup.devices, { x: 'own', y: 'theirs' }, setup.cdi_devices]);
    assert.equal(withDevices(config, []), config);
  });
});

describe('device manager', () => {
  const proto = fileURLToPath(new URL('./device-plugin-v1beta1.proto', import.meta.url));
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true, defaults: true }));
  const services = (loaded as unknown as { v1beta1: Record<'Registration' | 'DevicePlugin', ServiceClientConstructor> }).v1beta1;
  let directory: string;
  let stop: AbortController;
  let running: Promise<void>;
  const started: string[][] = [];

  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'devices-'));
    stop = new AbortController();
    started.length = 0;
  });
  afterEach(async () => {
    stop.abort();
    await running;
    rmSync(directory, { recursive: true });
  });

  const manage = (holders: () => ReadonlySet<string> = () => new Set()) => {
    const manager = createDeviceManager({
      ...{ files: createHostFiles(), clock: systemClock, logger: silentLogger, directory, holders },
      onChange() {},
      onRegistered() {},
    });
    running = manager.run(stop.signal);
    return manager;
  };
  const until = (what: string, ask: () => boolean) =>
    waitFor(what, async () => ask() || undefined, { withinSeconds: 5, everyMs: 5, clock: systemClock });

  /** A plugin as anyone would write it: serves its socket and registers at the kubelet's. */
  async function startPlugin(ids: readonly string[]) {
    const server = new Server();
    const streams = new Set<{ write(message: object): void; end(): void }>();
    const handlers: Record<string, UntypedHandleCall> = {
      GetDevicePluginOptions: (_call: unknown, answer: (error: null, response: object) => void) => answer(null, {}),
      ListAndWatch(stream: { write(message: object): void; end(): void }) {
        streams.add(stream);
        stream.write({ devices: ids.map((ID) => ({ ID, health: 'Healthy' })) });
      },
      GetPreferredAllocation(
        call: { request: { container_requests: { available_deviceIDs: string[] }[] } },
        answer: (error: null, response: object) => void,
      ) {
        answer(null, {
          container_responses: call.request.container_requests.map((one) => ({ deviceIDs: one.available_deviceIDs.toReversed() })),
        });
      },
      Allocate(call: { request: { container_requests: { devices_ids: string[] }[] } }, answer: (error: null, response: object) => void) {
        answer(null, {
          container_responses: call.request.container_requests.map(({ devices_ids }) => ({ envs: { GPUS: devices_ids.join() } })),
        });
      },
      PreStartContainer(call: { request: { devices_ids: string[] } }, answer: (error: null, response: object) => void) {
        started.push(call.request.devices_ids);
        answer(null, {});
      },
    };
    server.addService(services.DevicePlugin.service, handlers);
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix://${directory}/gpu.sock`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    const say = (id: string, health: string) => {
      for (const stream of streams) stream.write({ devices: ids.map((ID) => ({ ID, health: ID === id ? health : 'Healthy' })) });
    };
    return { say, stop: () => server.forceShutdown() };
  }

  const register = async (message: object): Promise<string> => {
    const socket = `${directory}/kubelet.sock`;
    await until('the socket', () => existsSync(socket));
    const client = new services.Registration(`unix://${socket}`, credentials.createInsecure());
    const send = client['Register'];
    return new Promise((resolve) => {
      send?.call(client, message, { deadline: systemClock.nowMs() + 5000 }, (error: { details?: string } | null) => {
        client.close();
        resolve(error?.details ?? '');
      });
    });
  };
  const options = { pre_start_required: true, get_preferred_allocation_available: true };
  const registration = { version: 'v1beta1', endpoint: 'gpu.sock', resource_name: resource, options };

  it('takes plugins in, gives devices away once, and says when there are too few', async () => {
    const active = new Set<string>();
    const manager = manage(() => active);
    const plugin = await startPlugin(['g0', 'g1', 'g2']);
    try {
      assert.equal(await register(registration), '');
      await until('the devices', () => manager.capacity().get(resource)?.healthy === 3);
      const [a, b] = [podOf('a', 1, 1), podOf('b', 2)];
      for (const { metadata } of [a, b]) active.add(metadata.uid ?? '');
      assert.deepEqual(await Promise.all([manager.allocate(a), manager.allocate(b)]), [undefined, undefined]);
      const given = (pod: Pod, container: string) => manager.devicesOf(pod, container).flatMap(({ ids }) => ids);
      assert.deepEqual([given(a, 'init'), given(a, 'main')], [['g2'], ['g2']]);
      assert.deepEqual(given(b, 'main').sort(), ['g0', 'g1']);
      assert.deepEqual(manager.devicesOf(a, 'main')[0]?.setup.envs, { GPUS: 'g2' });
      await manager.prepareStart(a, 'main');
      assert.deepEqual(started, [['g2']]);
      assert.equal(
        await manager.allocate(podOf('c', 1)),
        `Allocate failed due to requested number of devices unavailable for ${resource}. Requested: 1, Available: 0, which is unexpected`,
      );
      active.delete('b');
      assert.equal(await manager.allocate(podOf('c', 2)), undefined, 'what a Pod had that is over is free');
      plugin.say('g1', 'Unhealthy');
      await until('one that is unwell', () => manager.capacity().get(resource)?.healthy === 2);
      plugin.stop();
      await until('that it is gone', () => manager.capacity().get(resource)?.healthy === 0);
      assert.equal(manager.capacity().get(resource)?.total, 3);
    } finally {
      plugin.stop();
    }
  });

  it('remembers what it gave', async () => {
    const first = manage(() => new Set(['a']));
    const plugin = await startPlugin(['g0']);
    try {
      assert.equal(await register(registration), '');
      await until('the device', () => first.capacity().get(resource)?.healthy === 1);
      assert.equal(await first.allocate(podOf('a', 1)), undefined);
      const kept = `${directory}/kubelet_allocations.json`;
      const files = createHostFiles();
      await waitFor('the checkpoint', () => files.findText(kept), { withinSeconds: 5, everyMs: 5, clock: systemClock });
      stop.abort();
      await running;
      stop = new AbortController();
      const second = manage(() => new Set(['a']));
      assert.equal(await second.allocate(podOf('a', 1)), undefined);
      assert.deepEqual(
        second.devicesOf(podOf('a', 1), 'main').flatMap(({ ids }) => ids),
        ['g0'],
      );
    } finally {
      plugin.stop();
    }
  });

  const refused: [string, object, RegExp][] = [
    ['another version', { ...registration, version: 'v1alpha' }, /requested API version "v1alpha" is not supported/],
    ['a resource that is no extended one', { ...registration, resource_name: 'cpu' }, /the ResourceName "cpu" is invalid/],
    ['a socket elsewhere', { ...registration, endpoint: '../x.sock' }, /the endpoint "..\/x\.sock" is invalid/],
  ];
  for (const [name, message, problem] of refused) {
    it(`refuses ${name}`, async () => {
      manage();
      assert.match(await register(message), problem);
    });
  }
});
