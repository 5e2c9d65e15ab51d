import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startProgram } from '../support/background-program.ts';
import { freePort, startCluster, type TestCluster } from '../support/cluster.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { answerOf, createGuestbook, type Guestbook, guestbookFile, until, whoAnswers } from '../support/guestbook.ts';

/** The application of docs/guestbook, used as a person would, with every stock kubectl. */
describe('the guestbook on a real node', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: true });
  });
  after(() => cluster?.stop());

  it('the node is Ready', async () => {
    assert.match(await cluster.run(['get', 'nodes', '-o', 'wide']), /^\S+ +Ready +<none> .* v1\.36\.\d+\S* .* [a-z-]+:\/\//m);
  });

  for (const { version, path: program } of ensureClients().kubectl)
    describe(`kubectl ${version}`, () =>
      useGuestbook(
        () => createGuestbook(cluster, `guestbook-${version.replace('.', '-')}`, program),
        () => cluster,
      ));
});

function useGuestbook(create: () => Guestbook, theCluster: () => TestCluster): void {
  let app: Guestbook;
  before(async () => {
    app = create();
    await app.deploy();
  });
  reachTheApplication(() => app);
  useItsContainers(() => app, theCluster);
  changeTheApplication(() => app);

  it('delete namespace takes everything away', async () => {
    await app.remove();
    const { code, stderr } = await app.kubectl(['get', 'namespace', app.namespace]);
    assert.equal(code, 1);
    assert.match(stderr, /not found/);
  });
}

function reachTheApplication(app: () => Guestbook): void {
  const clusterIP = async (service: string) => await app().run('get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}');

  it('all three replicas answer through the ClusterIP', async () => {
    const url = `http://${await clusterIP('front')}`;
    assert.match(await answerOf(`${url}/`), /<h1>Guestbook<\/h1>/);
    const names = await whoAnswers(`${url}/whoami`, 40);
    assert.equal(names.size, 3, [...names].join());
  });

  it('the entries in redis are read and written through two Services', async () => {
    const url = `http://${await clusterIP('front')}/entries`;
    assert.match(await answerOf(url), /^Welcome to the guestbook$/m);
    const entry = `entry-${randomBytes(4).toString('hex')}`;
    await answerOf(url, { method: 'POST', body: entry });
    assert.match(await answerOf(url), new RegExp(`^${entry}$`, 'm'));
  });

  it('answers by its DNS names from another pod', async () => {
    for (const name of ['front', `front.${app().namespace}`, `front.${app().namespace}.svc.cluster.local`])
      assert.match(await app().run('exec', 'deployment/entries', '--', 'wget', '-q', '-T', '5', '-O-', `http://${name}/`), /Guestbook/);
  });

  it('answers at the NodePort', async () => {
    const nodePort = await app().run('get', 'service', 'front', '-o', 'jsonpath={.spec.ports[0].nodePort}');
    const address = await app().run('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}');
    assert.match(await answerOf(`http://${address}:${nodePort}/`), /<h1>Guestbook<\/h1>/);
  });

  it('get -o wide shows where the pods are', async () => {
    const text = await app().run('get', 'pods', '-o', 'wide');
    assert.match(text, /^front-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running +0 +\S+ +10\.244\.\d+\.\d+ +\S+ +<none> +<none>$/m);
    assert.match(text, /^first-entry-[a-z0-9]{5} +0\/1 +Completed +/m);
  });

  it('describe tells what has happened', async () => {
    const pod = await app().run('describe', 'pod', await app().podOf('front'));
    for (const wanted of [
      /Normal +Scheduled .* Successfully assigned /,
      /Normal +Pulled .* already present on machine/,
      /Normal +Created /,
      /Normal +Started /,
      /^ +Ready +True/m,
      /^QoS Class: +Burstable$/m,
      /Container ID: +[a-z-]+:\/\/[0-9a-f]{64}$/m,
    ])
      assert.match(pod, wanted);
    assert.match(await app().run('describe', 'service', 'front'), /^Endpoints: +10\.244\.\d+\.\d+:80,/m);
    assert.match(await app().run('describe', 'job', 'first-entry'), /^Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed$/m);
    assert.match(await app().run('describe', 'nodes'), /^Non-terminated Pods: +\(/m);
  });
}

function useItsContainers(app: () => Guestbook, theCluster: () => TestCluster): void {
  /** Runs a program in a terminal, as a person would. */
  const inTerminal = (...args: string[]) => {
    const command = [app().program, '--kubeconfig', theCluster().kubeconfig, '--namespace', app().namespace, ...args];
    const quoted = command.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ');
    return startProgram('script', ['-qec', quoted, '/dev/null']);
  };
  const follow = (...args: string[]) =>
    startProgram(app().program, ['--kubeconfig', theCluster().kubeconfig, '--namespace', app().namespace, ...args]);

  it('logs -f shows a request as it is made', async () => {
    const pod = await app().podOf('front');
    const ip = await app().run('get', 'pod', pod, '-o', 'jsonpath={.status.podIP}');
    const logs = follow('logs', '--follow', '--tail=1', pod);
    try {
      // A program that is still connecting would begin with a later line.
      await logs.says(/"GET /);
      const mark = randomBytes(4).toString('hex');
      await answerOf(`http://${ip}/whoami?${mark}`);
      await logs.says(new RegExp(`"GET /whoami\\?${mark} HTTP`));
    } finally {
      await logs.stop();
    }
    assert.match(await app().run('logs', '--tail=2', '--timestamps', pod), /^\d{4}-\d\d-\d\dT\S+Z .*\n\d{4}-\d\d-\d\dT\S+Z .*\n$/);
    assert.match(await app().run('logs', 'job/first-entry'), /^PONG\n1\n$/m);
  });

  it('exec passes on standard input, output, error and the exit code', async () => {
    const pod = await app().podOf('entries');
    const echoed = await app().kubectl(['exec', '-i', pod, '--', 'cat'], 'hello\n');
    assert.deepEqual([echoed.code, echoed.stdout], [0, 'hello\n']);
    const failed = await app().kubectl(['exec', pod, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual([failed.code, failed.stdout], [7, 'out\n']);
    assert.match(failed.stderr, /^err$/m);
    assert.match(failed.stderr, /command terminated with exit code 7/);
    const missing = await app().kubectl(['exec', pod, '--', 'no-such-program']);
    assert.notEqual(missing.code, 0);
    const large = await app().kubectl(['exec', '-i', pod, '--', 'sh', '-c', 'wc -c; head -c 3000000 /dev/zero'], 'x'.repeat(2_000_000));
    assert.deepEqual([large.code, large.stdout.slice(0, 8), large.stdout.length], [0, '2000000\n', 3_000_008]);
  });

  it('exec -it gives a terminal', async () => {
    const terminal = inTerminal('exec', '-it', await app().podOf('entries'), '--', 'sh');
    try {
      await terminal.says(/# /);
      terminal.write('tty; echo $((6*7))\r');
      await terminal.says(/^\/dev\/pts\/\d+\r\n42\r$/m);
      terminal.write('exit 3\r');
      assert.equal(await terminal.exitCode, 3);
    } finally {
      await terminal.stop();
    }
  });

  it('run -i and attach speak with the main process', async () => {
    const { code, stdout, stderr } = await app().kubectl(
      ['run', 'echo', '--image=busybox:1.37', '--restart=Never', '--rm', '-i', '--', 'sh', '-c', 'read line; echo "heard $line"; sleep 1'],
      'something\n',
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /heard something/);
    const ticking = 'while :; do echo tick; sleep 0.2; done';
    await app().run('run', 'ticker', '--image=busybox:1.37', '--restart=Never', '--', 'sh', '-c', ticking);
    await app().run('wait', '--for=condition=Ready', 'pod/ticker', '--timeout=60s');
    const attached = follow('attach', 'ticker');
    try {
      await attached.says(/tick\n.*tick\n/s);
    } finally {
      await attached.stop();
    }
    await app().run('delete', 'pod', 'ticker', '--grace-period=1');
  });

  it('port-forward leads to a pod and to a service', async () => {
    for (const target of [`pod/${await app().podOf('front')}`, 'service/front']) {
      const port = await freePort();
      const forward = follow('port-forward', target, `${port}:80`);
      try {
        await forward.says(/Forwarding from 127\.0\.0\.1:\d+ -> 80/);
        const answers = await Promise.all([1, 2, 3].map(() => answerOf(`http://127.0.0.1:${port}/`)));
        for (const answer of answers) assert.match(answer, /<h1>Guestbook<\/h1>/);
      } finally {
        await forward.stop();
      }
    }
  });

  it('cp copies both ways', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-cp-'));
    try {
      const pod = await app().podOf('entries');
      const content = randomBytes(1_500_000);
      const [sent, received] = [path.join(directory, 'sent'), path.join(directory, 'received')];
      writeFileSync(sent, content);
      await app().run('cp', sent, `${pod}:/tmp/copied`);
      await app().run('cp', `${pod}:/tmp/copied`, received);
      assert.ok(readFileSync(received).equals(content));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('explain pod.spec.containers', async () => {
    assert.match(await app().run('explain', 'pod.spec.containers'), /^FIELD: containers <\[\]Container>$/m);
  });
}

function changeTheApplication(app: () => Guestbook): void {
  const deployed = (path_: string) => app().run('get', 'deployment', 'front', '-o', `jsonpath={${path_}}`);
  const settled = () => app().run('rollout', 'status', 'deployment/front', '--timeout=90s');

  it('scale up and down', async () => {
    for (const replicas of ['5', '3']) {
      await app().run('scale', 'deployment/front', `--replicas=${replicas}`);
      await settled();
      await until(`${replicas} replicas`, async () => (await deployed('.status.readyReplicas')) === replicas);
    }
    await until(
      'three pods',
      async () => (await app().run('get', 'pods', '-l', 'app=front', '-o', 'name')).trim().split('\n').length === 3,
    );
  });

  it('rollout restart, status, history and undo replace the pods without a break', async () => {
    const url = `http://${await app().run('get', 'service', 'front', '-o', 'jsonpath={.spec.clusterIP}')}/healthz`;
    const before = await app().run('get', 'pods', '-l', 'app=front', '-o', 'name');
    const stop = new AbortController();
    const asking = countFailures(url, stop.signal);
    await app().run('set', 'env', 'deployment/front', 'COLOR=green');
    await settled();
    await app().run('rollout', 'restart', 'deployment/front');
    await settled();
    const { asked, failed } = await (stop.abort(), asking);
    assert.ok(asked > 10, `asked only ${asked} times`);
    assert.deepEqual(failed, []);
    assert.match(await app().run('rollout', 'history', 'deployment/front'), /^3 +<none>$/m);
    await app().run('rollout', 'undo', 'deployment/front', '--to-revision=1');
    await settled();
    assert.equal(await deployed('.spec.template.spec.containers[0].env'), '');
    const after = await app().run('get', 'pods', '-l', 'app=front', '--field-selector=status.phase=Running', '-o', 'name');
    for (const pod of before.trim().split('\n')) assert.ok(!after.includes(pod), `${pod} was not replaced`);
  });

  it('wait sees a deletion', async () => {
    const pod = await app().podOf('front');
    await app().run('delete', 'pod', pod, '--wait=false');
    await app().run('wait', '--for=delete', `pod/${pod}`, '--timeout=60s');
    await settled();
  });

  it('apply --server-side and diff agree', async () => {
    const applied = await app().run('apply', '--server-side', '--force-conflicts', '-f', guestbookFile);
    assert.match(applied, /^deployment\.apps\/front serverside-applied$/m);
    const same = await app().kubectl(['diff', '--server-side', '--force-conflicts', '-f', guestbookFile]);
    assert.deepEqual([same.code, same.stdout], [0, '']);
    const changed = readFileSync(guestbookFile, 'utf8').replace('replicas: 3', 'replicas: 4');
    const differs = await app().kubectl(['diff', '--server-side', '--force-conflicts', '-f', '-'], changed);
    assert.equal(differs.code, 1, differs.stderr);
    assert.match(differs.stdout, /^\+ {2}replicas: 4$/m);
  });
}

/** Asks again and again until stopped: a rollout that keeps the Service served shows no failure. */
async function countFailures(url: string, signal: AbortSignal): Promise<{ asked: number; failed: string[] }> {
  const failed: string[] = [];
  let asked = 0;
  while (!signal.aborted) {
    asked++;
    try {
      const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5000) });
      if (!response.ok) failed.push(String(response.status));
      await response.text();
    } catch (error) {
      failed.push(String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { asked, failed };
}
