import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { answerOf, until } from '../support/guestbook.ts';
import { spreadApplication } from '../support/spread-application.ts';

const nodes = ['node-1', 'node-2'] as const;
const nodesCIDRs = '172.29.239.0/24,fd00:172:239::/64';

/** Two nodes with IPv4 and IPv6 addresses for Pods and Services, and further features of the Pod network. */
describe('a cluster of both families', function () {
  this.timeout(90_000);
  let cluster: TestCluster;
  const app = spreadApplication(() => cluster, { nodes });
  const get = (...args: readonly string[]) => cluster.run(['get', ...args]);
  const exec = (pod: string, script: string) => cluster.run(['exec', pod, '--', 'sh', '-c', script]);

  before(async () => {
    const ranges = ['--cluster-cidr', '10.244.0.0/16,fd00:244::/48', '--service-cidr', '10.96.0.0/12,fd00:96::/108'];
    cluster = await startCluster({ node: true, extraFlags: ['--nodes', '2', '--nodes-cidr', nodesCIDRs, ...ranges] });
    await app.deploy();
    await cluster.run(['patch', 'service', 'web', '-p', '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}']);
  });
  after(() => cluster?.stop());

  it('gives nodes and Pods addresses of both', async () => {
    const text = await get('nodes', '-o', 'jsonpath={range .items[*]}{.spec.podCIDRs} {.status.addresses[*].address}{"\\n"}{end}');
    assert.deepEqual(text.trim().split('\n').map(familiesIn), ['4646', '4646']);
    const pods = await get('pods', '-l', 'app=web', '-o', 'jsonpath={range .items[*]}{.status.podIPs} {.status.hostIPs}{"\\n"}{end}');
    assert.deepEqual(new Set(pods.trim().split('\n').map(familiesIn)), new Set(['4646']));
  });

  it('leads from either node to all Pods of a Service, in both', async () => {
    const clusterIPs = (await get('service', 'web', '-o', 'jsonpath={.spec.clusterIPs[*]}')).split(' ');
    assert.equal(clusterIPs.length, 2);
    for (const node of nodes) {
      for (const ip of clusterIPs) {
        const url = `http://${ip.includes(':') ? `[${ip}]` : ip}/`;
        await until(`${url} from ${node}`, async () => (await app.ask(node, url)) !== undefined, 10);
        assert.deepEqual(await app.whoAnswers(node, url), await app.names(), `${url} from ${node}`);
      }
    }
    const [, six = ''] = clusterIPs;
    assert.match(await exec('asker-node-1', 'nslookup -type=aaaa web.default.svc.cluster.local'), new RegExp(`Address: +${six}`));
  });

  it('answers at node ports of both', async () => {
    const port = await get('service', 'web', '-o', 'jsonpath={.spec.ports[0].nodePort}');
    const names = await app.names();
    for (const address of ['172.29.239.2', '[fd00:172:239::3]'])
      assert.ok(names.includes((await answerOf(`http://${address}:${port}/`)).trim()));
  });

  it('isolates Pods in both', async () => {
    const clusterIPs = (await get('service', 'web', '-o', 'jsonpath={.spec.clusterIPs[*]}')).split(' ');
    const [six = ''] = clusterIPs.filter((ip) => ip.includes(':'));
    const spec = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] };
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed' }, spec };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(policy) });
    for (const url of [`http://[${six}]/`, 'http://web/'])
      await until(`${url} is closed`, async () => (await app.ask('node-1', url)) === undefined, 20);
    await cluster.run(['delete', 'networkpolicy', 'closed']);
    for (const url of [`http://[${six}]/`, 'http://web/'])
      await until(`${url} is open again`, async () => (await app.ask('node-1', url)) !== undefined, 20);
  });

  it('loses no name while the agent of a node is replaced', async () => {
    const question = 'nslookup -timeout=20 -retry=20 web.default.svc.cluster.local';
    const asking = `for i in $(seq 80); do ${question} > /dev/null 2>&1 || echo lost; sleep 0.1; done; echo end`;
    await exec('asker-node-1', `(${asking}) > /tmp/asked 2>&1 &`);
    killAgent(path.join(cluster.dataDir, 'nodes/node-1/node/agent.pid'));
    const asked = async () => (await cluster.kubectl(['exec', 'asker-node-1', '--', 'cat', '/tmp/asked'])).stdout.trim();
    await until('the end of the questions', async () => (await asked()).endsWith('end'), 60);
    assert.equal(await asked(), 'end');
  });

  it('opens ports of the node, and limits the bandwidth, for Pods that ask for it', async () => {
    const command = ['sh', '-c', 'mkdir /www; echo here > /www/index.html; exec httpd -f -p 8080 -h /www'];
    const ports = [{ containerPort: 8080, hostPort: 18080 }];
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: 'limited', annotations: { 'kubernetes.io/egress-bandwidth': '1M' } },
      spec: {
        ...{ nodeName: 'node-1', terminationGracePeriodSeconds: 0 },
        containers: [{ name: 'c', image: testImages.busybox, imagePullPolicy: 'IfNotPresent', command, ports }],
      },
    };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    await cluster.run(['wait', '--for=condition=Ready', 'pod/limited', '--timeout=30s']);
    for (const address of ['172.29.239.2', '[fd00:172:239::2]']) assert.equal((await answerOf(`http://${address}:18080/`)).trim(), 'here');
    // The runtime allows a first burst of hundreds of megabytes, so the limit after that is read from the kernel.
    const pid = readFileSync(path.join(cluster.dataDir, 'nodes/node-1/init.pid'), 'utf8').trim();
    assert.match(await runSuccessfully('nsenter', ['-t', pid, '-n', 'tc', 'qdisc', 'show']), /tbf .* rate 1Mbit/);
  });
});

/** The started process has entered the node's namespaces; the agent is its child. */
function killAgent(pidFile: string): void {
  const pid = readFileSync(pidFile, 'utf8').trim();
  const [agent] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  assert.ok(agent, `no agent runs in ${pid}`);
  process.kill(Number(agent), 'SIGKILL');
}

/** `4` and `6` for each address or range in a text, in order. */
function familiesIn(text: string): string {
  return (text.match(/(\d+\.){3}\d+|[\da-f]*:[\da-f:]+/g) ?? []).map((one) => (one.includes('.') ? '4' : '6')).join('');
}
