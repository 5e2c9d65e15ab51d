import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { nodePaths } from '../../../node-agent/node-paths.ts';
import { containerdSocket } from '../../../node-agent/linux/runtime/containerd.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { addText, type Tree, writeArchive } from '../../images/archive.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

const mebibyte = 1024 * 1024;
const diskMebibytes = 900;
const thresholdMebibytes = 300;
const unusedImage = 'example.com/unused:1';
const unusedMebibytes = 60;

/** A node with a small disk: unused images are removed first, then the Pod that uses the most is evicted. */
describe('a full disk', function () {
  this.timeout(300_000);
  let cluster: TestCluster;
  let disk: string;
  const freeMebibytes = () => {
    const { bavail, bsize } = statfsSync(disk);
    return (bavail * bsize) / mebibyte;
  };
  before(async () => {
    const flags = [`eviction-hard=nodefs.available<${thresholdMebibytes}Mi`, 'eviction-pressure-transition-period=5s'];
    cluster = await startCluster({
      node: true,
      extraFlags: flags.flatMap((flag) => ['--kubelet-arg', flag]),
      async prepare(dataDir) {
        disk = path.join(dataDir, 'node');
        mkdirSync(disk);
        // Unmounted by the node, which leaves nothing behind.
        await runSuccessfully('mount', ['-t', 'tmpfs', '-o', `size=${diskMebibytes}m`, 'tmpfs', disk]);
      },
    });
  });
  after(() => cluster?.stop());

  const field = (kind: string, name: string, query: string) => cluster.run(['get', kind, name, '-o', `jsonpath=${query}`]);
  const until = (what: string, ask: () => Promise<boolean>, withinSeconds = 90) => waitFor(what, ask, { withinSeconds });
  const nodeName = () => cluster.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  const pressure = async () => field('node', await nodeName(), '{.status.conditions[?(@.type=="DiskPressure")].status}');
  const taints = async () => field('node', await nodeName(), '{.spec.taints[*].key}');
  const ctr = (...args: string[]) => {
    const socket = containerdSocket(nodePaths(cluster.dataDir).containerd);
    return runSuccessfully('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', ...args]);
  };
  const run = async (name: string) => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const container = {
      name: 'c',
      image: testImages.busybox,
      command: ['sleep', '3600'],
      volumeMounts: [{ name: 'v', mountPath: '/data' }],
    };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { volumes, terminationGracePeriodSeconds: 1, containers: [container] },
    };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
  };
  const ready = (name: string) => cluster.run(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s']);
  const fill = (name: string, file: string, mebibytes: number) =>
    cluster.run(['exec', name, '--', 'dd', 'if=/dev/zero', `of=/data/${file}`, 'bs=1M', `count=${Math.ceil(mebibytes)}`]);

  it('takes images first that nobody uses', async () => {
    const archive = path.join(cluster.dataDir, 'unused.tar');
    const tree: Tree = new Map();
    addText(tree, 'data', randomBytes((unusedMebibytes * mebibyte) / 2).toString('hex'));
    await writeArchive(archive, unusedImage, tree, {});
    await ctr('import', archive);
    for (const name of ['small', 'large']) await run(name);
    for (const name of ['small', 'large']) await ready(name);
    await fill('small', 'f', 10);
    await fill('large', 'f', freeMebibytes() - thresholdMebibytes + unusedMebibytes / 4);
    await until('the end of the image', async () => !(await ctr('list', '--quiet')).includes(unusedImage));
    assert.match(await cluster.run(['get', 'events']), /EvictionThresholdMet .* Attempting to reclaim ephemeral-storage/);
    await until('that it is enough', async () => (await pressure()) === 'False');
    for (const name of ['small', 'large']) assert.equal(await field('pod', name, '{.status.phase}'), 'Running');
    await until('that Pods may come', async () => !(await taints()).includes('disk-pressure'));
  });

  it('takes the Pod then that has filled the most, and lets no other come meanwhile', async () => {
    await fill('large', 'more', freeMebibytes() - thresholdMebibytes + 50);
    await until('the taint', async () => (await taints()).includes('node.kubernetes.io/disk-pressure'));
    assert.equal(await pressure(), 'True');
    await run('late');
    await until('the eviction', async () => (await field('pod', 'large', '{.status.reason}')) === 'Evicted');
    assert.match(
      await field('pod', 'large', '{.status.message}'),
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: 300Mi, available: \d+[KM]i\. (Container c was using \d+(Ki)?, request is 0, has larger consumption of ephemeral-storage\. )?$/,
    );
    assert.equal(await field('pod', 'large', '{.status.phase}'), 'Failed');
    assert.equal(await field('pod', 'small', '{.status.phase}'), 'Running');
    const disruption = '{.status.conditions[?(@.type=="DisruptionTarget")].reason}';
    assert.equal(await field('pod', 'large', disruption), 'TerminationByKubelet');
  });

  it('is over when that Pod is gone', async () => {
    await until('the end of the pressure', async () => (await pressure()) === 'False');
    await until('the end of the taint', async () => !(await taints()).includes('disk-pressure'));
    assert.ok(freeMebibytes() > thresholdMebibytes);
    await ready('late');
    assert.equal(await field('pod', 'small', '{.status.phase}'), 'Running');
  });
});
