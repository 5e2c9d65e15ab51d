import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

/** A node's own services and reports: metrics, autoscaling, resizing, static Pods, eviction. */
describe('a node by itself', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  let nodeName: string;
  before(async () => {
    cluster = await startCluster({ node: true, extraFlags: ['--kubelet-arg', 'allowed-unsafe-sysctls=kernel.msg*'] });
    nodeName = await cluster.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  });
  after(() => cluster?.stop());

  const apply = async (object: object) => void (await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(object) }));
  const field = (kind: string, name: string, query: string) => cluster.run(['get', kind, name, '-o', `jsonpath=${query}`]);
  const until = (what: string, ask: () => Promise<boolean>, withinSeconds = 60) => waitFor(what, ask, { withinSeconds });
  const podOf = (name: string, command: string, more: { readonly spec?: object; readonly container?: object } = {}) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...more.spec,
      containers: [{ name: 'c', image: testImages.busybox, command: ['sh', '-c', command], ...more.container }],
    },
  });
  const ready = (name: string) => cluster.run(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);

  it('tells what it uses, under the names that everybody reads', async () => {
    await apply(podOf('busy', 'while :; do i=$((i+1)); [ $((i%20000)) = 0 ] && sleep 0.1; done'));
    await ready('busy');
    const read = (what: string) => cluster.run(['get', '--raw', `/api/v1/nodes/${nodeName}/proxy/${what}`]);
    const tells = (what: string, line: RegExp) => until(`${line} of ${what}`, async () => line.test(await read(what)), 60);
    await tells('metrics/resource', /^container_cpu_usage_seconds_total\{container="c",namespace="default",pod="busy"\} [\d.]+ \d+$/m);
    await tells('metrics/cadvisor', /^container_memory_working_set_bytes\{.*container="c".*\} \d+ \d+$/m);
    await tells('metrics', /^kubelet_running_pods 1$/m);
    const summary = JSON.parse(await read('stats/summary')) as { node: { nodeName: string }; pods: { podRef: { name: string } }[] };
    assert.deepEqual([summary.node.nodeName, summary.pods.map(({ podRef }) => podRef.name)], [nodeName, ['busy']]);
    assert.equal(await read('healthz'), 'ok');
  });

  it('is asked by kubectl top without a metrics-server', async () => {
    await until('kubectl top pod', async () => (await cluster.kubectl(['top', 'pod', 'busy'])).code === 0, 60);
    assert.match(await cluster.run(['top', 'pod', 'busy', '--no-headers']), /^busy +[1-9]\d*m +\d+Mi/);
    assert.match(await cluster.run(['top', 'node', '--no-headers']), new RegExp(`^${nodeName} +\\d+m +\\d+% +\\d+Mi +\\d+%`));
  });

  it('sizes a Deployment by what its Pods use', async () => {
    const labels = { app: 'load' };
    await apply({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'load' } },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: podOf('', 'while :; do i=$((i+1)); [ $((i%20000)) = 0 ] && sleep 0.1; done', {
            container: { resources: { requests: { cpu: '10m' } } },
          }).spec,
        },
      },
    });
    await cluster.run(['autoscale', 'deployment', 'load', '--cpu-percent=20', '--min=1', '--max=3']);
    await until('three replicas', async () => (await field('deployment', 'load', '{.spec.replicas}')) === '3', 120);
    assert.match(
      await cluster.run(['get', 'events']),
      /SuccessfulRescale .* New size: 3; reason: cpu resource utilization \(percentage of request\) above target/,
    );
    await cluster.run(['delete', 'hpa,deployment', 'load']);
  });

  it('resizes a Pod in place', async () => {
    const resources = { requests: { cpu: '50m' }, limits: { cpu: '100m' } };
    await apply(podOf('sized', 'sleep 1000', { container: { resources } }));
    await ready('sized');
    const id = await field('pod', 'sized', '{.status.containerStatuses[0].containerID}');
    const ask = async (request: string, limit: string) => {
      const patch = { spec: { containers: [{ name: 'c', resources: { requests: { cpu: request }, limits: { cpu: limit } } }] } };
      await cluster.run(['patch', 'pod', 'sized', '--subresource', 'resize', '-p', JSON.stringify(patch)]);
    };
    await ask('70m', '200m');
    await until(
      'the new limit',
      async () => (await field('pod', 'sized', '{.status.containerStatuses[0].resources.limits.cpu}')) === '200m',
    );
    const quota = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max';
    assert.match(await cluster.run(['exec', 'sized', '--', 'sh', '-c', quota]), /^20000\b/);
    assert.equal(await field('pod', 'sized', '{.status.containerStatuses[0].containerID}'), id, 'the same container');
    await ask('5000', '5000');
    const reason = '{.status.conditions[?(@.type=="PodResizePending")].reason}';
    await until('that it is infeasible', async () => (await field('pod', 'sized', reason)) === 'Infeasible');
    await ask('70m', '200m');
    await until('that nothing is pending', async () => (await field('pod', 'sized', reason)) === '');
  });

  it('runs static Pods and shows them', async () => {
    const manifest = path.join(cluster.dataDir, 'manifests', 'web.json');
    const name = `web-${nodeName}`;
    writeFileSync(manifest, JSON.stringify({ ...podOf('web', 'echo here; sleep 1000') }));
    await until('the mirror', async () => (await cluster.kubectl(['get', 'pod', name])).code === 0);
    await ready(name);
    assert.equal(await cluster.run(['logs', name]), 'here\n');
    const id = await field('pod', name, '{.status.containerStatuses[0].containerID}');
    await cluster.run(['delete', 'pod', name]);
    await until('that it is shown again', async () => (await cluster.kubectl(['get', 'pod', name])).code === 0);
    await until('its status', async () => (await field('pod', name, '{.status.containerStatuses[0].containerID}')) === id);
    rmSync(manifest);
    await until('its end', async () => (await cluster.kubectl(['get', 'pod', name])).code !== 0);
  });

  it('evicts who fills the disk beyond the limit', async () => {
    const volumes = [{ name: 'v', emptyDir: { sizeLimit: '5Mi' } }];
    const container = { volumeMounts: [{ name: 'v', mountPath: '/data' }] };
    await apply(podOf('full', 'dd if=/dev/zero of=/data/f bs=1M count=20; sleep 1000', { spec: { volumes }, container }));
    await until('the eviction', async () => (await field('pod', 'full', '{.status.reason}')) === 'Evicted', 60);
    assert.equal(await field('pod', 'full', '{.status.message}'), 'Usage of EmptyDir volume "v" exceeds the limit "5Mi". ');
  });

  it('lets through the sysctls that it was told to, and no others', async () => {
    const sysctl = (name: string, value: string) => ({ spec: { nodeName, securityContext: { sysctls: [{ name, value }] } } });
    await apply(podOf('allowed', 'cat /proc/sys/kernel/msgmax; sleep 1000', sysctl('kernel.msgmax', '4096')));
    await apply(podOf('refused', 'sleep 1000', sysctl('kernel.shmall', '4096')));
    await ready('allowed');
    assert.equal(await cluster.run(['logs', 'allowed']), '4096\n');
    await until('the refusal', async () => (await field('pod', 'refused', '{.status.reason}')) === 'SysctlForbidden');
  });
});
