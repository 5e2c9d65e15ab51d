import assert from 'node:assert/strict';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { localNodeBridge } from '../../../server/cli/local-nodes/local-nodes.ts';
import { openDataDir } from '../../../server/cli/data-dir/data-dir.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import type { BackgroundProgram } from '../support/background-program.ts';
import { type BareMachine, createBareMachine } from '../support/bare-machine.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../support/cluster.ts';
import { createForeignNode, findForeignPrograms, type ForeignNode } from '../support/foreign-node.ts';
import { until, whoAnswers } from '../support/guestbook.ts';
import { spreadApplication } from '../support/spread-application.ts';

const cidr = '172.29.241.0/24';
const own = 'node-1';
const joined = 'machine-b';
const foreign = 'machine-f';
const all = [own, joined, foreign];

/**
 * Nodes of kubets beside one with another kubelet and kube-proxy. Runs if KUBETS_FOREIGN_KUBELET and KUBETS_FOREIGN_KUBE_PROXY name such
 * programs.
 */
describe('a node with another kubelet and kube-proxy', function () {
  this.timeout(300_000);
  const programs = findForeignPrograms();
  let cluster: TestCluster;
  let node: ForeignNode;
  const machines: BareMachine[] = [];
  let agent: BackgroundProgram;
  before(async function () {
    if (programs === undefined) return this.skip();
    const extraFlags = ['--nodes', '1', '--nodes-cidr', cidr, '--node-monitor-grace-period', '16s'];
    cluster = await startCluster({ node: true, extraFlags });
    const bridge = localNodeBridge(openDataDir(cluster.dataDir), [cidr]);
    const images = path.join(cluster.dataDir, 'images');
    for (const [index, name] of [joined, foreign].entries()) {
      const machine = createBareMachine({ name, directory: path.join(cluster.dataDir, name), bridge, index: 7 + index, images });
      machines.push(machine);
      await machine.boot();
    }
    const [second, third] = machines;
    assert.ok(second && third);
    const printed = await runSuccessfully(nodeProgram, [kubets, 'token', 'create', '--print-join-command', '--data-dir', cluster.dataDir]);
    agent = await second.startAgent(...printed.trim().split(' ').slice(2));
    await agent.says(/machine-b has joined the cluster/);
    await untilReady(joined);
    node = createForeignNode(cluster, third, programs, images);
    const joins = async () => {
      await node.start();
      await untilReady(foreign);
    };
    await joins().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${node.log()}`);
    });
  });
  after(async () => {
    // Ends the programs that it has started first, since they hold its outputs open.
    for (const machine of machines) await machine.remove();
    await node?.stop();
    await agent?.stop();
    await cluster?.stop();
  });

  const untilReady = (name: string) =>
    until(`node ${name}`, async () => (await cluster.kubectl(['get', 'node', name])).stdout.includes(' Ready '), 60);
  const app = spreadApplication(() => cluster, { nodes: all });
  const exec = async (pod: string, script: string) => (await cluster.run(['exec', pod, '--', 'sh', '-c', script])).trim();
  const field = (kind: string, name: string, query: string) => cluster.run(['get', kind, name, '-o', `jsonpath=${query}`]);
  const apply = (...items: object[]) =>
    cluster.run(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });

  it('runs its part of an application', async () => {
    await app.deploy();
    await cluster.run(['scale', 'deployment/web', '--replicas=6']);
    await cluster.run(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    for (const name of all) assert.equal((await app.podsOn(name)).length, 2, name);
    const [pod = ''] = await app.podsOn(foreign);
    assert.equal(await exec(pod, 'cat /www/index.html'), pod);
    assert.match(await cluster.run(['logs', pod]), /^serving as /);
  });

  it('from each node every Pod is reached, by its address, the Service and its names', async () => {
    for (const name of all) {
      for (const pod of await app.pods()) assert.equal(await app.ask(name, `http://${pod.ip}:8080/`), pod.name, `${pod.name} from ${name}`);
      for (const host of [await app.clusterIP(), 'web', 'web.default.svc.cluster.local'])
        assert.deepEqual(await app.whoAnswers(name, `http://${host}/`, 60), await app.names(), `${host} from ${name}`);
    }
  });

  it('answers at the NodePort of each node', async () => {
    const port = await field('service', 'web', '{.spec.ports[0].nodePort}');
    for (const name of all) {
      const address = await field('node', name, '{.status.addresses[?(@.type=="InternalIP")].address}');
      assert.deepEqual([...(await whoAnswers(`http://${address}:${port}/`, 60))].sort(), await app.names(), name);
    }
  });

  it('finds all Pods of a headless Service by its name', async () => {
    const ports = [{ port: 8080 }];
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'heads' },
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports },
    });
    const wanted = (await app.pods()).map(({ ip }) => ip).sort();
    for (const name of all) {
      await waitFor(
        `heads on ${name}`,
        async () => {
          const answer = await exec(
            `asker-${name}`,
            'nslookup -type=a heads.default.svc.cluster.local | sed -n "/^Name/,\\$s/^Address: //p"',
          );
          return answer.split('\n').sort().join() === wanted.join();
        },
        { withinSeconds: 60 },
      );
    }
  });

  /**
   * A Pod's environment as it sees it, without parts that differ by its name and addresses, and without those that are hidden since v1.33.
   */
  const seenIn = async (name: string): Promise<string> => {
    const script = [
      'echo "# environment"; env | grep -v -E "^(HOSTNAME|OWN_|SHLVL|_)" | sort',
      'echo "# user"; id; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status',
      'echo "# dns"; cat /etc/resolv.conf; echo "# hosts"; sed "s/^[0-9.]*\\t$HOSTNAME/own\\tname/" /etc/hosts',
      'echo "# mounts"; sed "s/,lowerdir.*//" /proc/self/mounts | cut -d" " -f2 | grep -v -x -E "/proc/interrupts|.*/thermal_throttle" | sort',
      'echo "# files"; cd /all; for f in $(find . -type f -o -type l | grep -v "/\\.\\." | sort); do ls -lLn $f | cut -c1-10,22-34; done',
      'cat /all/settings/a /all/own/labels; wc -c < /all/token/token | sed "s/.*/a token/"; cat /proc/1/cmdline | tr "\\0" " "; cat /proc/1/oom_score_adj',
      'ls -ld /scratch /all | cut -c1-10; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ulimit -n',
    ].join('; ');
    return await exec(name, script);
  };

  it('gives a Pod what a node of kubets gives it', async () => {
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: 'one', B: 'two' } });
    await apply(...[own, foreign].map((nodeName) => selfAware(`self-${nodeName}`, nodeName)));
    await cluster.run(['wait', '--for=condition=Ready', 'pod', '-l', 'app=self', '--timeout=120s']);
    assert.equal(await seenIn(`self-${foreign}`), await seenIn(`self-${own}`));
    assert.deepEqual(await statusOf(cluster, `self-${foreign}`), await statusOf(cluster, `self-${own}`));
  });

  it('tells of the ends of containers as a node of kubets does', async () => {
    const ends: [name: string, script: string, more: object][] = [
      ['done', 'exit 0', {}],
      ['failed', 'echo why > /dev/termination-log; exit 3', {}],
      ['killed', 'kill -KILL $$', {}],
      ['late', 'trap "" TERM; sleep 60', { activeDeadlineSeconds: 30 }],
      ['spoken', 'echo last words; exit 1', {}],
    ];
    const names = ends.map(([name]) => name);
    for (const nodeName of [own, foreign]) {
      await apply(...ends.map(([name, script, more]) => ending(`${name}-${nodeName}`, nodeName, script, more)));
    }
    for (const name of names) {
      for (const nodeName of [own, foreign]) {
        const pod = `${name}-${nodeName}`;
        const hasEnded = async () =>
          /Succeeded|Failed/.test(await field('pod', pod, '{.status.phase}')) &&
          (await field('pod', pod, '{.status.containerStatuses[0].state.terminated.reason}')) !== '';
        await until(`the end of ${pod}`, hasEnded, 70).catch(async (error: unknown) => {
          throw new Error(`${String(error)}: ${await field('pod', pod, '{.status}')}`);
        });
      }
      const statuses = () => Promise.all([own, foreign].map((nodeName) => statusOf(cluster, `${name}-${nodeName}`)));
      // The sandbox ends a moment later.
      const areEqual = async () => {
        const [one, other] = await statuses();
        return isDeepStrictEqual(one, other);
      };
      await until(name, areEqual, 20).catch(() => undefined);
      const [ours, theirs] = await statuses();
      assert.deepEqual(theirs, ours, name);
    }
  });

  it('has DNS while another node is lost, once that is known', async () => {
    await machines[0]?.kill();
    await until(
      'the node is not ready',
      async () => (await field('node', joined, '{.status.conditions[?(@.type=="Ready")].status}')) === 'Unknown',
      40,
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const name of [own, foreign]) {
      const script =
        'for i in $(seq 40); do timeout 2 nslookup -type=a kubernetes.default.svc.cluster.local > /dev/null || echo lost; done';
      assert.equal(await exec(`asker-${name}`, script), '', name);
    }
  });
});

function selfAware(name: string, nodeName: string): object {
  const own = (variable: string, fieldPath: string) => ({ name: variable, valueFrom: { fieldRef: { fieldPath } } });
  const resource = (variable: string, what: string) => ({ name: variable, valueFrom: { resourceFieldRef: { resource: what } } });
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'self' } } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['one.test', 'two.test'] }],
      dnsConfig: { searches: ['example.test'], options: [{ name: 'ndots', value: '2' }] },
      securityContext: {
        runAsUser: 1000,
        runAsGroup: 3000,
        fsGroup: 2000,
        supplementalGroups: [4000],
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          ...{ name: 'c', image: testImages.busybox, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] },
          env: [
            own('OWN_NAME', 'metadata.name'),
            own('ACCOUNT', 'spec.serviceAccountName'),
            resource('LIMIT', 'limits.memory'),
            { name: 'JOINED', value: '$(LIMIT)-$(ACCOUNT)-$(NOBODY)' },
          ],
          envFrom: [{ prefix: 'SET_', configMapRef: { name: 'settings' } }],
          resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { memory: '64Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
          volumeMounts: [
            { name: 'all', mountPath: '/all', readOnly: true },
            { name: 'scratch', mountPath: '/scratch' },
          ],
        },
      ],
      volumes: [
        { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        {
          name: 'all',
          projected: {
            defaultMode: 0o440,
            sources: [
              { configMap: { name: 'settings', items: [{ key: 'a', path: 'settings/a', mode: 0o400 }] } },
              { downwardAPI: { items: [{ path: 'own/labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
              { serviceAccountToken: { path: 'token/token', expirationSeconds: 600 } },
            ],
          },
        },
      ],
    },
  };
}

function ending(name: string, nodeName: string, script: string, more: object): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      ...more,
      containers: [
        {
          ...{ name: 'c', image: testImages.busybox, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', script] },
          terminationMessagePolicy: 'FallbackToLogsOnError',
        },
      ],
    },
  };
}

/** A Pod's status without times, addresses and ids; of the newer fields those that both have. */
async function statusOf(cluster: TestCluster, pod: string): Promise<unknown> {
  const text = await cluster.run(['get', 'pod', pod, '-o', 'jsonpath={.status}']);
  return JSON.parse(text, (key: string, value: unknown) => {
    if (/Time$|^(startedAt|finishedAt)$/.test(key)) return 'a time';
    if (/IPs?$/.test(key)) return 'an address';
    if (key.endsWith('ID')) return 'an id';
    if (key === 'name' && typeof value === 'string' && value.startsWith('kube-api-access-')) return 'a volume';
    return newer.has(key) ? undefined : value;
  });
}

/** Fields that came after v1.32. */
const newer: ReadonlySet<string> = new Set(['observedGeneration', 'allocatedResources']);
