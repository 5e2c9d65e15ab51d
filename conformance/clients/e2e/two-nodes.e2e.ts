import assert from 'node:assert/strict';
import path from 'node:path';
import tls from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { localNodeBridge } from '../../../server/cli/local-nodes/local-nodes.ts';
import { openDataDir } from '../../../server/cli/data-dir/data-dir.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import type { BackgroundProgram } from '../support/background-program.ts';
import { type BareMachine, createBareMachine } from '../support/bare-machine.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../support/cluster.ts';
import { answerOf, until, whoAnswers } from '../support/guestbook.ts';
import { spreadApplication } from '../support/spread-application.ts';

const cidr = '172.29.240.0/24';
const own = 'node-1';
const joined = 'machine-b';

/** A cluster of a node that `kubets up` runs and of another machine, which joins it with a token. */
describe('two nodes', function () {
  this.timeout(90_000);
  let cluster: TestCluster;
  let machine: BareMachine;
  let agent: BackgroundProgram | undefined;
  before(async () => {
    const extraFlags = ['--nodes', '1', '--nodes-cidr', cidr, '--node-monitor-grace-period', '16s'];
    cluster = await startCluster({ node: true, extraFlags });
    const bridge = localNodeBridge(openDataDir(cluster.dataDir), [cidr]);
    const directory = path.join(cluster.dataDir, joined);
    machine = createBareMachine({ name: joined, directory, bridge, index: 7, images: path.join(cluster.dataDir, 'images') });
    await machine.boot();
  });
  after(async () => {
    await machine?.remove();
    await agent?.stop();
    await cluster?.stop();
  });

  const get = (...args: readonly string[]) => cluster.run(['get', ...args]);
  const condition = (node: string) => get('node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}');
  const taints = (node: string) => get('node', node, '-o', 'jsonpath={range .spec.taints[*]}{.key}:{.effect} {end}');
  const addressOf = (node: string) => get('node', node, '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}');

  it('a machine joins with the command that the control plane prints', async () => {
    const printed = await runSuccessfully(nodeProgram, [kubets, 'token', 'create', '--print-join-command', '--data-dir', cluster.dataDir]);
    const words = /^kubets agent (--server https:\S+ --token \S+ --ca-hash sha256:[0-9a-f]{64})\n$/.exec(printed)?.[1];
    assert.ok(words, printed);
    const flags = ['--node-labels', 'example.com/disk=fast', '--register-with-taints', 'example.com/new=yes:NoSchedule'];
    agent = await machine.startAgent(...words.split(' '), ...flags);
    await agent.says(/machine-b has joined the cluster/);
    await until('the new node is ready', async () => (await cluster.kubectl(['get', 'node', joined])).stdout.includes(' Ready '));
    assert.equal(await get('node', joined, '-o', 'jsonpath={.metadata.labels.example\\.com/disk}'), 'fast');
    assert.equal(await addressOf(joined), machine.address);
    assert.match(await taints(joined), /^example\.com\/new:NoSchedule /);
    await cluster.run(['taint', 'node', joined, 'example.com/new-']);
  });

  it('its kubelet serves with a certificate of the cluster', async () => {
    const ca = Buffer.from(await get('configmap', 'kube-root-ca.crt', '-o', 'jsonpath={.data.ca\\.crt}'));
    await until('a certificate that the CA has signed', () => isVerified(machine.address, ca));
    const requests = await get('csr', '-o', 'jsonpath={range .items[*]}{.spec.signerName} {.spec.username} {end}');
    assert.match(requests, /kubernetes\.io\/kube-apiserver-client-kubelet system:bootstrap:\w{6} /);
    assert.match(requests, /kubernetes\.io\/kubelet-serving system:node:machine-b /);
  });

  describe('an application on both', () => {
    const app = spreadApplication(() => cluster, { nodes: [own, joined] });
    /** Others may answer until every node knows who is gone. */
    const answeredBy = async (names: readonly string[]) => {
      let answers: string[] = [];
      const isSo = async () => isDeepStrictEqual((answers = await app.whoAnswers(own, 'http://web/', 50)), [...names].sort());
      await until('the answers', isSo, 10).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${answers.join()} in place of ${names.join()}`);
      });
    };
    const url = async () => `http://${await app.clusterIP()}`;

    it('is spread, and can be looked into on each', async () => {
      await app.deploy();
      for (const node of [own, joined]) {
        const [pod = ''] = await app.podsOn(node);
        assert.equal((await cluster.run(['exec', pod, '--', 'cat', '/www/index.html'])).trim(), pod);
        assert.match(await cluster.run(['logs', pod]), /^serving as /);
      }
    });

    it('from either node every Pod is reached, by its address, the Service and its names', async () => {
      for (const node of [own, joined]) {
        for (const { ip, name } of await app.pods()) assert.equal(await app.ask(node, `http://${ip}:8080/`), name);
        for (const host of ['web', 'web.default.svc.cluster.local'])
          assert.deepEqual(await app.whoAnswers(node, `http://${host}/`), await app.names(), `${host} from ${node}`);
      }
    });

    it('answers at the NodePort of both nodes, and at the ClusterIP from the machine', async () => {
      const port = await get('service', 'web', '-o', 'jsonpath={.spec.ports[0].nodePort}');
      for (const node of [own, joined]) {
        const answers = await whoAnswers(`http://${await addressOf(node)}:${port}/`, 30);
        assert.deepEqual([...answers].sort(), await app.names(), node);
      }
      await answerOf(await url());
    });

    it('tells load balancers which node has Pods of a Service with policy Local', async () => {
      const selector = { app: 'lone' };
      const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', selector, ports: [{ port: 80, targetPort: 8080 }] };
      const command = ['sh', '-c', 'mkdir /www; exec httpd -f -p 8080 -h /www'];
      const containers = [{ name: 'lone', image: testImages.busybox, imagePullPolicy: 'IfNotPresent', command }];
      const items = [
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'lone' }, spec },
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'lone', labels: selector },
          spec: { nodeName: own, terminationGracePeriodSeconds: 0, containers },
        },
      ];
      await cluster.run(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
      const port = await get('service', 'lone', '-o', 'jsonpath={.spec.healthCheckNodePort}');
      const health = async (node: string) => {
        const answer = await fetch(`http://${await addressOf(node)}:${port}/`).catch(() => undefined);
        return answer && `${answer.status} ${await answer.text()}`;
      };
      await until('health on the own node', async () => /^200 .*"localEndpoints": 1/s.test((await health(own)) ?? ''));
      await until('health on the other node', async () => /^503 .*"localEndpoints": 0/s.test((await health(joined)) ?? ''));
      await cluster.run(['delete', 'service/lone', 'pod/lone']);
    });

    it('the agent killed and started without a token adopts what runs', async () => {
      const before = await app.containers();
      await machine.run('pkill', ['-KILL', '-f', 'kubets.mjs agent|node-agent/main.ts']);
      await agent?.exitCode;
      agent = await machine.startAgent();
      await agent.says(/node agent for machine-b/);
      await cluster.run(['scale', 'deployment/web', '--replicas=6']);
      await cluster.run(['rollout', 'status', 'deployment/web', '--timeout=30s']);
      assert.equal((await app.podsOn(joined)).length, 3);
      const after = await app.containers();
      for (const [name, container] of Object.entries(before)) assert.equal(after[name], container);
    });

    it('a node that dies is noticed, emptied, and no Service leads there', async () => {
      await machine.kill();
      await until('the node is not ready', async () => (await condition(joined)) === 'Unknown', 40);
      const left = 'node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute ';
      await until('its taints', async () => (await taints(joined)) === left, 10);
      await until('six Pods on the other', async () => (await app.ready(own)).length === 6, 30);
      await answeredBy(await app.ready(own));
    });

    it('comes back without a token, and what was evicted there goes', async () => {
      await agent?.exitCode;
      await machine.boot();
      agent = await machine.startAgent();
      await until('the node is ready', async () => (await condition(joined)) === 'True', 30);
      await until('no taints', async () => (await taints(joined)) === '', 15);
      await until('no Pod is left there', async () => (await app.podsOn(joined)).length === 0, 30);
      await cluster.run(['rollout', 'restart', 'deployment/web']);
      await cluster.run(['rollout', 'status', 'deployment/web', '--timeout=30s']);
      assert.ok((await app.podsOn(joined)).length > 0, 'nothing was scheduled to the node that came back');
      await answeredBy(await app.names());
    });
  });
});

/** Whether the kubelet at an address shows a certificate that this CA has signed for the address. */
function isVerified(host: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host,
      port: 10250,
      ca,
      checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(host, certificate),
    });
    socket.once('secureConnect', () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}
