import assert from 'node:assert/strict';
import { testImages } from '../../framework/test-images.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

/** Attacks by a user who may do everything in one namespace, and nothing outside it, on a real node. */
describe('a tenant of a node', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  let nodeName: string;
  before(async () => {
    cluster = await startCluster({ node: true });
    nodeName = await cluster.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  });
  after(() => cluster?.stop());

  const apply = async (object: object) => void (await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(object) }));
  const until = (what: string, ask: () => Promise<boolean>, withinSeconds = 60) => waitFor(what, ask, { withinSeconds });
  const run = (pod: string, command: string) => cluster.kubectl(['exec', pod, '--', 'sh', '-c', command]);
  const start = async (name: string, command: string, spec: object = {}, container: object = {}) => {
    await apply({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } } },
      spec: {
        terminationGracePeriodSeconds: 1,
        ...spec,
        containers: [{ name: 'c', image: testImages.busybox, command: ['sh', '-c', command], ...container }],
      },
    });
    await cluster.run(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
  };
  const serve = 'mkdir /www; echo secret > /www/index.html; httpd -h /www -p 8080; sleep 10000';

  it('leads the node nowhere by links in volumes of ConfigMaps', async () => {
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { key: 'one' } });
    const volumes = [
      { name: 'config', configMap: { name: 'config' } },
      { name: 'api', projected: { sources: [{ downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } }] } },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    await start('reader', 'sleep 10000', { volumes }, { volumeMounts });
    for (const { name } of volumes) {
      const { code, stderr } = await run('reader', `rm /${name}/..data && ln -s ../../../../etc /${name}/..data`);
      assert.notEqual(code, 0);
      assert.match(stderr, /Read-only file system/);
    }
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { key: 'two' } });
    await until('the volume follows', async () => (await run('reader', 'cat /config/key')).stdout === 'two');
  });

  it('keeps no node busy with its logs', async () => {
    await start('writer', 'i=0; while [ $i -lt 60000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done; sleep 10000');
    await until('the log is there', async () => (await cluster.run(['logs', 'writer', '--tail=-1'])).split('\n').length >= 60_000);
    for (const tail of ['100000', '200000000', '9007199254740991']) {
      const started = Date.now();
      const lines = (await cluster.run(['logs', 'writer', `--tail=${tail}`])).split('\n').filter((line) => line !== '').length;
      assert.equal(lines, 60_000);
      assert.equal(Date.now() - started < 20_000, true);
    }
  });

  it('runs nothing that was deleted by force', async () => {
    await start('stubborn', "trap '' TERM; sleep 10000 & wait; sleep 10000", { terminationGracePeriodSeconds: 3000 });
    await cluster.run(['delete', 'pod', 'stubborn', '--force', '--grace-period=0']);
    const running = async () => cluster.run(['get', '--raw', `/api/v1/nodes/${nodeName}/proxy/runningpods/`]);
    await until('its end', async () => !(await running()).includes('"stubborn"'), 30);
  });

  it('reaches no Pod on the link that policies keep it from', async () => {
    await start('victim', serve);
    await start('attacker', 'sleep 10000');
    const shown = (await run('victim', 'ip -6 addr show dev eth0')).stdout;
    const onLink = /inet6 (fe80:[^/]+)\//.exec(shown)?.[1];
    const get = (host: string) => run('attacker', `wget -q -T 2 -O - 'http://${host}:8080/'`);
    const address = await cluster.run(['get', 'pod', 'victim', '-o', 'jsonpath={.status.podIP}']);
    assert.match((await get(address)).stdout, /secret/);
    if (onLink !== undefined) assert.match((await get(`[${onLink}%eth0]`)).stdout, /secret/);
    await apply({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny' } },
      spec: { podSelector: { matchLabels: { app: 'victim' } }, policyTypes: ['Ingress'] },
    });
    await until('the policy holds', async () => (await get(address)).code !== 0);
    if (onLink !== undefined) assert.notEqual((await get(`[${onLink}%eth0]`)).code, 0);
  });

  it('sends with no address of others, and goes on with its own', async () => {
    const address = await cluster.run(['get', 'pod', 'attacker', '-o', 'jsonpath={.status.podIP}']);
    const forged = address.replace(/\d+$/, '250');
    await start('server', serve);
    const server = await cluster.run(['get', 'pod', 'server', '-o', 'jsonpath={.status.podIP}']);
    const dns = 'nslookup kubernetes.default.svc.cluster.local >/dev/null';
    assert.equal((await run('attacker', `wget -q -T 3 -O - http://${server}:8080/ && ${dns}`)).code, 0);
    await apply({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'forger' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...{ name: 'c', image: testImages.busybox, command: ['sleep', '10000'] },
            securityContext: { capabilities: { add: ['NET_ADMIN'] } },
          },
        ],
      },
    });
    await cluster.run(['wait', '--for=condition=Ready', 'pod/forger', '--timeout=60s']);
    assert.equal((await run('forger', `wget -q -T 3 -O - http://${server}:8080/`)).code, 0);
    const own = await cluster.run(['get', 'pod', 'forger', '-o', 'jsonpath={.status.podIP}']);
    const swap = `ip addr add ${forged}/24 dev eth0; ip addr del ${own}/24 dev eth0; ip route replace default via ${own.replace(/\d+$/, '1')}`;
    assert.notEqual((await run('forger', `${swap}; wget -q -T 3 -O - http://${server}:8080/`)).code, 0);
  });

  it('takes over no cluster IP by naming it', async () => {
    const target = await cluster.run(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
    await apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'aaa-thief' } },
      spec: { selector: { app: 'server' }, ports: [{ port: 443, targetPort: 8080 }], externalIPs: [target] },
    });
    await until('the Event', async () => /ExternalIPNotServed.*cluster IP of a Service/.test(await cluster.run(['get', 'events'])));
    assert.doesNotMatch((await run('attacker', `wget -q -T 3 -O - http://${target}:443/`)).stdout, /secret/);
  });
});
