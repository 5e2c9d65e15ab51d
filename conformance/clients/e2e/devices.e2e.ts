import assert from 'node:assert/strict';
import path from 'node:path';
import type { Cluster } from '../../framework/connect-cluster.ts';
import { type DeviceDriver, startDeviceDriver } from '../../framework/device-driver.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

/** Dynamic resources from the template of a claim to the environment of a container, with a driver and stock kubectl. */
describe('devices of a driver', function () {
  this.timeout(240_000);
  const driverName = 'gpu.kubets.test';
  let cluster: TestCluster;
  let connection: Cluster;
  let driver: DeviceDriver;

  before(async () => {
    cluster = await startCluster({ node: true });
    connection = await cluster.connect();
    const nodeName = await cluster.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
    const folder = (name: string) => path.join(cluster.dataDir, 'node', name);
    driver = await startDeviceDriver({
      name: driverName,
      nodeName,
      client: connection.client,
      directory: folder(`plugins/${driverName}`),
      registry: folder('plugins_registry'),
      cdiDirectory: '/var/run/cdi',
      devices: [
        { name: 'small', attributes: { model: { string: 'small' } }, capacity: { memory: { value: '8Gi' } } },
        { name: 'large', attributes: { model: { string: 'large' } }, capacity: { memory: { value: '80Gi' } } },
      ],
    });
    await until('the driver to be registered', async () => driver.verdicts.includes('registered'));
  });
  after(async () => {
    await driver?.stop();
    connection?.close();
    await cluster?.stop();
  });

  const until = (what: string, ask: () => Promise<boolean>) => waitFor(what, ask, { withinSeconds: 60 });
  const apply = async (...objects: object[]) =>
    void (await cluster.run(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) }));
  const field = (kind: string, name: string, query: string) => cluster.run(['get', kind, name, '-o', `jsonpath=${query}`]);
  const large = `device.attributes["${driverName}"].model == "large"`;
  const deviceClass = {
    ...{ apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', metadata: { name: driverName } },
    spec: {
      selectors: [{ cel: { expression: `device.driver == "${driverName}"` } }],
      config: [{ opaque: { driver: driverName, parameters: { mode: 'exclusive' } } }],
    },
  };
  const template = {
    ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', metadata: { name: 'one-large' } },
    spec: {
      spec: {
        devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: driverName, selectors: [{ cel: { expression: large } }] } }] },
      },
    },
  };
  const podOf = (name: string) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      resourceClaims: [{ name: 'mine', resourceClaimTemplateName: 'one-large' }],
      containers: [
        { name: 'with', image: testImages.busybox, command: ['sh', '-c', 'env; sleep 1000'], resources: { claims: [{ name: 'mine' }] } },
        { name: 'without', image: testImages.busybox, command: ['sh', '-c', 'env; sleep 1000'] },
      ],
    },
  });

  it('come into the containers that ask for them, and only there', async () => {
    await apply(deviceClass, template, podOf('first'));
    await cluster.run(['wait', '--for=condition=Ready', 'pod/first', '--timeout=60s']);
    const said = await cluster.run(['logs', 'first', '-c', 'with']);
    assert.match(said, /^DEVICE_GPU=large$/m);
    assert.match(said, /^SETTINGS=\[\{"mode":"exclusive"\}\]$/m);
    assert.doesNotMatch(await cluster.run(['logs', 'first', '-c', 'without']), /DEVICE_/);
    const claim = await field('pod', 'first', '{.status.resourceClaimStatuses[0].resourceClaimName}');
    assert.match(await cluster.run(['get', 'resourceclaims']), new RegExp(`^${claim} +allocated,reserved `, 'm'));
    assert.deepEqual(driver.calls, [`prepare ${claim}`]);
  });

  it('go to the next pod when the first has ended', async () => {
    const claim = await field('pod', 'first', '{.status.resourceClaimStatuses[0].resourceClaimName}');
    await apply(podOf('second'));
    const refused =
      '0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    await until(
      'the refusal',
      async () => (await field('pod', 'second', '{.status.conditions[?(@.type=="PodScheduled")].message}')) === refused,
    );
    await cluster.run(['delete', 'pod', 'first']);
    await cluster.run(['wait', '--for=condition=Ready', 'pod/second', '--timeout=60s']);
    assert.match(await cluster.run(['logs', 'second', '-c', 'with']), /^DEVICE_GPU=large$/m);
    assert.ok(driver.calls.indexOf(`unprepare ${claim}`) === 1, driver.calls.join());
    await until('the first claim to go', async () => !(await cluster.run(['get', 'resourceclaims'])).includes(claim));
  });

  it('are taken of the best alternative that is free', async () => {
    const request = (name: string) => ({ name, deviceClassName: driverName });
    await apply(
      {
        ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'either' } },
        spec: {
          devices: {
            requests: [
              { name: 'gpu', firstAvailable: [{ ...request('best'), selectors: [{ cel: { expression: large } }] }, request('any')] },
            ],
          },
        },
      },
      { ...podOf('third'), spec: { ...podOf('third').spec, resourceClaims: [{ name: 'mine', resourceClaimName: 'either' }] } },
    );
    await cluster.run(['wait', '--for=condition=Ready', 'pod/third', '--timeout=60s']);
    assert.match(await cluster.run(['logs', 'third', '-c', 'with']), /^DEVICE_GPU_ANY=small$/m);
    await cluster.run(['delete', 'pod', 'second', 'third']);
    await until('the claim to be free', async () => (await field('resourceclaim', 'either', '{.status.allocation}')) === '');
  });

  it('are taken back from a pod that ends by itself before another gets them', async () => {
    const brief = podOf('brief');
    const containers = brief.spec.containers.map((container) => ({ ...container, command: ['sh', '-c', 'sleep 2'] }));
    await apply({ ...brief, spec: { ...brief.spec, restartPolicy: 'Never', containers } }, podOf('after'));
    const claimOf = (name: string) => field('pod', name, '{.status.resourceClaimStatuses[0].resourceClaimName}');
    await until('both claims', async () => (await claimOf('brief')) !== '' && (await claimOf('after')) !== '');
    const claims = [await claimOf('brief'), await claimOf('after')];
    await cluster.run(['wait', '--for=condition=Ready', 'pod/after', '--timeout=60s']);
    const order = driver.calls.filter((call) => claims.some((claim) => call.endsWith(` ${claim}`)));
    assert.deepEqual(order, [`prepare ${claims[0]}`, `unprepare ${claims[0]}`, `prepare ${claims[1]}`]);
    await cluster.run(['delete', 'pod', 'brief', 'after']);
  });
});
