import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { runProgram } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../support/cluster.ts';

/** Every key and certificate of a running cluster is replaced without an interruption. */
describe('the rotation of all certificates', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  let oldKubeconfig: string;
  let atFirst: Awaited<ReturnType<typeof identities>>;
  const followers: { readonly child: ChildProcess; output: string }[] = [];
  const troubles: string[] = [];
  let asked = 0;
  let isOver = false;
  let asking: Promise<void> | undefined;

  const certs = (...args: string[]) =>
    runProgram(nodeProgram, [kubets, 'certs', ...args, '--data-dir', cluster.dataDir], { timeoutSeconds: 120 });
  const succeed = async (...args: string[]) => {
    const { code, stdout, stderr } = await certs(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout + stderr;
  };
  const inPod = (file: string) => cluster.run(['exec', 'p', '--', 'cat', `/var/run/secrets/kubernetes.io/serviceaccount/${file}`]);
  const certificatesIn = (pem: string) => pem.split('BEGIN CERTIFICATE').length - 1;
  /** Processes and containers that must be the same at the end. */
  const identities = async () => ({
    kubets: cluster.pid(),
    agent: readFileSync(path.join(cluster.dataDir, 'node/agent.pid'), 'utf8'),
    container: await cluster.run([
      ...['get', 'pod', 'p', '-o'],
      'jsonpath={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}',
    ]),
  });
  /** The request of a client in the Pod: with its token, and its CA file as the only authority. */
  const askAsPod = async (token: string, ca: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const url = `https://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/p`;
      https
        .get(url, { ca, headers: { authorization: `Bearer ${token}` }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .once('error', reject);
    });
  const follow = (...args: string[]) => {
    const child = spawn(ensureClients().newestKubectl, ['--kubeconfig', oldKubeconfig, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const follower = { child, output: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void (follower.output += chunk.toString()));
    followers.push(follower);
    return follower;
  };
  const keepAsking = async () => {
    for (; !isOver; asked++) {
      for (const args of [
        ['exec', 'p', '--', 'echo', 'hello'],
        ['logs', 'p', '--tail=1'],
        ['annotate', 'pod', 'p', '--overwrite', `asked=${asked}`],
      ]) {
        const { code, stderr } = await cluster.kubectl(args);
        if (code !== 0) troubles.push(`${args.join(' ')}: ${stderr}`);
      }
    }
  };

  before(async () => {
    cluster = await startCluster({ node: true });
    oldKubeconfig = path.join(cluster.dataDir, 'old.kubeconfig');
    copyFileSync(cluster.kubeconfig, oldKubeconfig);
    const script = 'i=0; while true; do echo line $i; i=$((i+1)); sleep 0.3; done';
    const container = { name: 'c', image: testImages.busybox, command: ['sh', '-c', script] };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    await cluster.run(['create', 'clusterrolebinding', 'all-view', '--clusterrole=view', '--group=system:serviceaccounts']);
    await cluster.run(['wait', '--for=condition=Ready', 'pod/p', '--timeout=60s']);
    atFirst = await identities();
  });
  after(async () => {
    isOver = true;
    await asking;
    for (const { child } of followers) child.kill('SIGKILL');
    await cluster?.stop();
  });

  it('begins where all is well', async () => {
    const shown = await succeed('check');
    for (const name of ['apiserver', 'admin.kubeconfig', 'node/kubelet.kubeconfig', 'front-proxy-ca', 'service-account'])
      assert.match(shown, new RegExp(`^${name} `, 'm'));
    follow('get', 'pods', '--watch', '-o', 'jsonpath={.metadata.annotations.asked}{"\\n"}');
    follow('logs', 'p', '--follow');
    asking = keepAsking();
  });

  it('renews all certificates', async () => {
    const agentCertificate = () => readFileSync(path.join(cluster.dataDir, 'node/kubelet.kubeconfig'), 'utf8');
    const earlier = agentCertificate();
    await succeed('renew', 'all');
    assert.notEqual(agentCertificate(), earlier);
  });

  it('replaces the authorities while clients watch, follow logs and run commands', async () => {
    const [token, ca] = [await inPod('token'), await inPod('ca.crt')];
    const said = await succeed('rotate-ca');
    assert.match(said, /all nodes use certificates of the new authority/);
    await waitFor('the CA file of the Pod', async () => certificatesIn(await inPod('ca.crt')) === 2, { withinSeconds: 60 });
    // A client that has read its CA file long ago.
    assert.equal(await askAsPod(token, ca), 200);
    assert.match(await succeed('check'), /the new authority signs since .*, the old one is still trusted/);
    assert.equal((await cluster.kubectl(['--kubeconfig', oldKubeconfig, 'get', 'pods'])).code, 0);
  });

  it('replaces the key of service accounts; tokens of the old one are good', async () => {
    const token = await inPod('token');
    await succeed('rotate-service-account-key');
    const kid = (text: string) => (JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    const fresh = () => cluster.run(['create', 'token', 'default']);
    await waitFor('a token of the new key', async () => kid(await fresh()) !== kid(token), { withinSeconds: 30 });
    const ca = await inPod('ca.crt');
    assert.deepEqual([await askAsPod(token, ca), await askAsPod((await fresh()).trim(), ca)], [200, 200]);
    const { code, stderr } = await certs('rotate-service-account-key', '--finish');
    assert.equal(code, 1);
    assert.match(stderr, /Pods may have tokens of the old one/);
  });

  it('drops the old authorities: nothing has been restarted, and only old kubeconfigs are void', async () => {
    const [token, oldCA] = [await inPod('token'), readFileSync(path.join(cluster.dataDir, 'pki/ca-previous.crt'), 'utf8')];
    await succeed('rotate-ca', '--finish');
    await waitFor('the CA file of the Pod', async () => certificatesIn(await inPod('ca.crt')) === 1, { withinSeconds: 60 });
    assert.equal(await askAsPod(token, await inPod('ca.crt')), 200);
    await assert.rejects(askAsPod(token, oldCA));
    const refused = await cluster.kubectl(['--kubeconfig', oldKubeconfig, 'get', 'pods']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /certificate|Unauthorized|logged in/);
    const counted = asked;
    await waitFor('more commands', async () => asked > counted + 1, { withinSeconds: 60 });
    for (const { child, output } of followers) {
      assert.equal(child.exitCode, null, output);
      assert.ok(!/error/i.test(output), output);
    }
    assert.match(followers[0]?.output ?? '', new RegExp(`^${asked - 1}$`, 'm'));
    assert.deepEqual(troubles, []);
    assert.deepEqual(await identities(), atFirst);
    assert.match(await succeed('check'), /all certificates are valid/);
  });

  it('leaves a cluster that starts Pods', async () => {
    const container = { name: 'c', image: testImages.busybox, command: ['sleep', '1000'] };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'q' },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    await cluster.run(['wait', '--for=condition=Ready', 'pod/q', '--timeout=60s']);
  });
});
