import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../support/cluster.ts';

/** The ways in which a cluster is stopped, and the effect on its Pods. */
describe('a stop', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: true });
    const script = 'trap "echo ended >> /data/said; exit 0" TERM; echo started >> /data/said; while true; do sleep 0.2; done';
    const volumes = [{ name: 'v', hostPath: { path: path.join(cluster.dataDir, 'said-by-pod'), type: 'DirectoryOrCreate' } }];
    const container = {
      name: 'c',
      image: testImages.busybox,
      command: ['sh', '-c', script],
      volumeMounts: [{ name: 'v', mountPath: '/data' }],
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { volumes, containers: [container] } };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    await untilReady();
  });
  after(() => cluster?.stop());

  const untilReady = () => cluster.run(['wait', '--for=condition=Ready', 'pod/p', '--timeout=90s']);
  const said = () => readFileSync(path.join(cluster.dataDir, 'said-by-pod/said'), 'utf8').trim().split('\n');
  const containerID = () => cluster.run(['get', 'pod', 'p', '-o', 'jsonpath={.status.containerStatuses[0].containerID}']);
  const pidOf = (file: string) => Number(readFileSync(path.join(cluster.dataDir, 'node', file), 'utf8'));
  // An ended process stays as a zombie until its parent reaps it, which may be the machine's init.
  const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const run = (...args: string[]) => runProgram(nodeProgram, [kubets, ...args, '--data-dir', cluster.dataDir]);

  it('by command leaves Pods running, which the next start adopts', async () => {
    const [id, agent, containerd] = [await containerID(), pidOf('agent.pid'), pidOf('containerd/containerd.pid')];
    const { code, stderr } = await run('stop');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /its pods go on/);
    assert.deepEqual([isAlive(agent), isAlive(containerd)], [false, true]);
    const status = await run('status');
    assert.equal(status.code, 1);
    assert.match(status.stdout, /containers that were left running/);
    await cluster.start();
    await untilReady();
    assert.equal(await containerID(), id);
    assert.deepEqual(said(), ['started']);
  });

  it('is told of by the status of what runs', async () => {
    const { code, stdout } = await run('status');
    assert.equal(code, 0, stdout);
    const facts = JSON.parse((await run('status', '-o', 'json')).stdout) as Record<string, unknown>;
    assert.deepEqual(facts['problems'], []);
  });

  it('by the end of the terminal ends Pods in order, and the next start has them again', async () => {
    const containerd = pidOf('containerd/containerd.pid');
    assert.deepEqual(await cluster.kill('SIGHUP'), { code: 0, signal: null });
    assert.deepEqual(said(), ['started', 'ended']);
    assert.equal(isAlive(containerd), false);
    await cluster.start();
    await untilReady();
    assert.deepEqual(said(), ['started', 'ended', 'started']);
  });

  it('with Pods, by command, ends also those that an earlier one has left', async () => {
    await run('stop');
    const { code, stderr } = await run('stop', '--pods');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /pods that had been left running/);
    assert.deepEqual(said().slice(3), ['ended']);
    await cluster.start();
    await untilReady();
  });

  it('by SIGKILL of the supervisor is noticed by the agent; its containers go on', async () => {
    const [agent, containerd] = [pidOf('agent.pid'), pidOf('containerd/containerd.pid')];
    await cluster.kill('SIGKILL');
    assert.equal(isAlive(agent), true);
    await waitFor('the end of the agent', async () => !isAlive(agent), { withinSeconds: 60 });
    assert.equal(isAlive(containerd), true);
    await cluster.start();
    await untilReady();
    assert.deepEqual(said().slice(4), ['started']);
  });
});
