import assert from 'node:assert/strict';
import { waitFor } from '../../../framework/wait-for.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { canRunPatroni, createPatroniCluster, type Member, type PatroniCluster } from '../../support/patroni.ts';

const pods = { 'pg-0': '192.0.2.10', 'pg-1': '192.0.2.11' };
const pod = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {application: patroni, cluster-name: demo}}
spec: {serviceAccountName: patroni, containers: [{name: postgres, image: postgres}]}
---`;
/** The rights that Patroni's own manifests for Kubernetes ask for. */
const manifests = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: patroni}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: patroni}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [create, get, list, patch, update, watch, delete, deletecollection]}
- {apiGroups: [""], resources: [endpoints], verbs: [get, patch, update, create, list, watch, delete, deletecollection]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, patch, update, watch]}
- {apiGroups: [""], resources: [services], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: patroni}
subjects: [{kind: ServiceAccount, name: patroni}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: patroni}
---
apiVersion: v1
kind: Service
metadata: {name: demo}
spec: {ports: [{name: postgresql, port: 5432}]}
---${Object.keys(pods).map(pod).join('')}
`;

/**
 * Debian's Patroni, as it is, with two PostgreSQL servers: it elects the leader by annotations of an Endpoints object that it
 * replaces with the resource version it has seen, and keeps the members' state in annotations and labels of their Pods. The
 * Pods are never started: their programs run beside the control plane.
 */
describe('PostgreSQL with Patroni, which keeps its leader in Endpoints', function () {
  this.timeout(400_000);
  let cluster: TestCluster;
  let patroni: PatroniCluster;
  const kubectl = (command: string) => cluster.run(['-n', 'pg', ...command.split(' ')]);
  const until = (what: string, holds: () => Promise<boolean>) =>
    waitFor(what, holds, { withinSeconds: 180 }).catch((error: unknown) => {
      throw new Error(`${String(error)}; Patroni said:\n${patroni.output()}`, { cause: error });
    });
  const member = async (isWanted: (one: Member, leader: string) => boolean) => {
    const leader = await kubectl('get endpoints demo -o jsonpath={.metadata.annotations.leader}');
    const found = patroni.members.find((one) => isWanted(one, leader));
    assert.ok(found, `the leader is ${leader}`);
    return found;
  };
  const leader = () => member(({ name }, leads) => name === leads);
  const replica = () => member(({ name }, leads) => name !== leads);
  const roles = async ({ name }: Member) => `${name}=${await kubectl(`get pod ${name} -o jsonpath={.metadata.labels.role}`)}`;
  const isReplicating = async () => (await (await leader()).query('SELECT count(*) FROM pg_stat_replication')) === '1';
  const isAddressed = async ({ podIP }: Member) => {
    const slices = 'get endpointslices -l kubernetes.io/service-name=demo -o jsonpath={.items[*].endpoints[*].addresses[*]}';
    return (await kubectl('get endpoints demo -o jsonpath={.subsets[*].addresses[*].ip}')) === podIP && (await kubectl(slices)) === podIP;
  };

  before(async function () {
    if (!canRunPatroni()) return this.skip();
    cluster = await startCluster({ node: false });
    await cluster.run(['create', 'namespace', 'pg']);
    await waitFor('the default account', async () => (await cluster.kubectl(['-n', 'pg', 'get', 'sa', 'default'])).code === 0, {
      withinSeconds: 60,
    });
    await cluster.run(['-n', 'pg', 'apply', '-f', '-'], { input: manifests });
    patroni = await createPatroniCluster(cluster, { scope: 'demo', namespace: 'pg', account: 'patroni', pods });
  });
  after(async () => {
    await patroni?.stop();
    await cluster?.stop();
  });

  it('elects one leader of two that start at once, and labels their Pods', async () => {
    for (const one of patroni.members) one.start();
    const hasLeader = async () => (await cluster.kubectl(['-n', 'pg', 'get', 'endpoints', 'demo'])).code === 0;
    await until('a leader', hasLeader);
    await until('a replica that follows it', async () => isReplicating().catch(() => false));
    const [first, second] = [await leader(), await replica()];
    await until('the label of the leader', async () => (await roles(first)) === `${first.name}=primary`);
    await until('the label of the replica', async () => (await roles(second)) === `${second.name}=replica`);
    await until('the address of the leader in Endpoints and EndpointSlice', () => isAddressed(first));
    await first.query('CREATE TABLE notes AS SELECT 1 AS number');
    await until('the row at the replica', async () => (await second.query('SELECT number FROM notes').catch(() => '')) === '1');
  });

  it('makes the replica the leader when the leader is killed', async () => {
    const [failed, next] = [await leader(), await replica()];
    await failed.fail();
    await until('another leader', async () => (await leader()).name === next.name);
    await until('its address in Endpoints and EndpointSlice', () => isAddressed(next));
    await until('a database that can be written', async () => (await next.query('SELECT pg_is_in_recovery()')) === 'f');
    assert.equal(await next.query('INSERT INTO notes VALUES (2) RETURNING number'), '2\nINSERT 0 1');
    failed.start();
    await until('the one that was killed as a replica', async () => isReplicating().catch(() => false));
    await until('its row', async () => (await failed.query('SELECT max(number) FROM notes').catch(() => '')) === '2');
    await until('its label', async () => (await roles(failed)) === `${failed.name}=replica`);
  });

  it('hands over on request', async () => {
    const [old, next] = [await leader(), await replica()];
    const said = await patroni.patronictl('switchover', '--leader', old.name, '--candidate', next.name, '--force');
    assert.match(said, new RegExp(`Successfully switched over to "${next.name}"`));
    await until('the new leader', async () => (await leader()).name === next.name);
    await until('its address in Endpoints and EndpointSlice', () => isAddressed(next));
    assert.equal(await kubectl('get endpoints demo -o jsonpath={.metadata.annotations.transitions}'), '2');
  });
});
