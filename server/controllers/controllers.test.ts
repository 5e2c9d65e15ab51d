import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { listAll } from '../../api/client/list-pages.ts';
import { controllerRevisions } from '../../api/resources/apps/v1/controller-revision.ts';
import { daemonSets } from '../../api/resources/apps/v1/daemon-set.ts';
import { deployments } from '../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../api/resources/apps/v1/replica-set.ts';
import { statefulSets } from '../../api/resources/apps/v1/stateful-set.ts';
import { cronJobs } from '../../api/resources/batch/v1/cron-job.ts';
import { jobs } from '../../api/resources/batch/v1/job.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { endpoints } from '../../api/resources/core/v1/endpoints.ts';
import { events } from '../../api/resources/core/v1/event.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { serviceAccounts } from '../../api/resources/core/v1/service-account.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../api/resources/discovery/v1/endpoint-slice.ts';
import { podDisruptionBudgets } from '../../api/resources/policy/v1/pod-disruption-budget.ts';
import { clusterRoles } from '../../api/resources/rbac/v1/cluster-role.ts';
import type { Deployment, DeploymentSpec } from '../../api/types/apps-v1.ts';
import type { Endpoints } from '../../api/types/core-v1.ts';
import type { Job } from '../../api/types/batch-v1.ts';
import { becomeFinished, becomeReady, type ControlPlane, startControlPlane } from './testing/control-plane.ts';

const namespace = 'default';
const template = (image: string, labels: Record<string, string>) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image }] },
});
const web = { namespace, name: 'web' };

function deployment(image: string, replicas: number, rest: Partial<DeploymentSpec> = {}): Deployment {
  return {
    metadata: { ...web },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template(image, { app: 'web' }), ...rest },
  };
}

describe('controllers on an API server', () => {
  let plane: ControlPlane;
  beforeEach(async () => {
    plane = await startControlPlane();
  });
  afterEach(() => plane.stop());

  const isRolledOut = async (replicas: number, generation: number) => {
    const { status } = await plane.client(deployments).get(web);
    const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas: all = 0 } = status ?? {};
    return observedGeneration >= generation && updatedReplicas === replicas && availableReplicas === replicas && all === replicas;
  };

  it('lead to the DNS of every node that has one', async () => {
    const { client } = plane;
    const key = { namespace: 'kube-system', name: 'kube-dns' };
    const addresses = async () => {
      const { items } = await client(endpointSlices).list({ ...key, labelSelector: 'kubernetes.io/service-name=kube-dns' });
      return items
        .flatMap(({ endpoints: all, ports }) =>
          (all ?? []).map(({ addresses: [address], conditions, hints }) => {
            const near = hints?.forNodes?.map(({ name }) => name).join() ?? 'everybody';
            return `${address}:${ports?.[0]?.port}${conditions?.ready ? '' : ' lost'} for ${near}`;
          }),
        )
        .sort();
    };
    const waitForAddresses = (...wanted: string[]) =>
      plane.waitFor(`endpoints ${wanted.join()}`, async () => String(await addresses()) === String(wanted));
    const patchStatus = (name: string, status: object) =>
      client(nodes).patch({ namespace: '', name }, { type: 'strategic', body: { status } }, { subresource: 'status' });
    const become = (name: string, status: 'True' | 'Unknown') => patchStatus(name, { conditions: [{ type: 'Ready', status }] });
    const join = async (name: string, address: string, kubeletVersion = 'v1.36.0+kubets-0.1.0') => {
      await client(nodes).create({ metadata: { name } });
      await patchStatus(name, { addresses: [{ type: 'InternalIP', address }], nodeInfo: { kubeletVersion } });
    };
    assert.equal(await ignoreNotFound(client(services).get(key)), undefined);
    await join('one', '10.200.0.1');
    await waitForAddresses('10.200.0.1:10053 for one');
    const { spec } = await client(services).get(key);
    assert.deepEqual([spec?.clusterIP, spec?.trafficDistribution], ['10.96.0.10', 'PreferSameNode']);
    await join('foreign', '10.200.0.3', 'v1.32.0');
    await join('two', '10.200.0.2');
    await waitForAddresses('10.200.0.1:10053 for one', '10.200.0.2:10053 for two');
    await become('one', 'True');
    await become('two', 'True');
    await become('one', 'Unknown');
    await waitForAddresses('10.200.0.1:10053 lost for everybody', '10.200.0.2:10053 for two');
    await become('two', 'Unknown');
    await waitForAddresses('10.200.0.1:10053 for one', '10.200.0.2:10053 for two');
    await client(nodes).delete({ namespace: '', name: 'one' });
    await waitForAddresses('10.200.0.2:10053 for two');
    await client(services).delete(key);
    await plane.waitFor('the Service again', () => ignoreNotFound(client(services).get(key)));
    await waitForAddresses('10.200.0.2:10053 for two');
  });

  it('give each namespace its service account and root CA', async () => {
    const { client } = plane;
    await client(namespaces).create({ metadata: { name: 'more' } });
    await plane.waitFor('the account', () => ignoreNotFound(client(serviceAccounts).get({ namespace: 'more', name: 'default' })));
    const key = { namespace: 'more', name: 'kube-root-ca.crt' };
    const { data } = await plane.waitFor('the CA', () => ignoreNotFound(client(configMaps).get(key)));
    assert.deepEqual(data, { 'ca.crt': 'PEM' });
    await client(configMaps).update({ metadata: { ...key }, data: { 'ca.crt': 'forged' } });
    await plane.waitFor('the CA again', async () => (await client(configMaps).get(key)).data?.['ca.crt'] === 'PEM');
    assert.deepEqual(plane.complaints, []);
  });

  it('roll a Deployment out, update it and go back', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(deployments).create(deployment('nginx:1', 3));
    await plane.waitFor('the roll-out', () => isRolledOut(3, 1));
    const present = await client(deployments).get(web);
    assert.equal(present.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
    const body = { spec: { template: template('nginx:2', { app: 'web' }) } };
    await client(deployments).patch(web, { type: 'strategic', body });
    await plane.waitFor('the update', () => isRolledOut(3, 2));
    const { items } = await client(replicaSets).list({ namespace });
    const revisions = items.map((set) => [set.metadata.annotations?.['deployment.kubernetes.io/revision'], set.spec?.replicas]);
    assert.deepEqual(revisions.sort(), [
      ['1', 0],
      ['2', 3],
    ]);

    const back = { spec: { template: template('nginx:1', { app: 'web' }) } };
    await client(deployments).patch(web, { type: 'strategic', body: back });
    await plane.waitFor('the way back', () => isRolledOut(3, 3));
    const rolledBack = await client(deployments).get(web);
    assert.equal(rolledBack.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
    assert.equal((await client(replicaSets).list({ namespace })).items.length, 2);
    const said = (await listAll(client(events), { namespace })).items.map(({ reason, message }) => `${reason} ${message}`);
    assert.ok(
      said.some((line) => /^ScalingReplicaSet Scaled up replica set web-\w+ from 0 to 3$/.test(line)),
      said.join('\n'),
    );
    assert.ok(said.some((line) => line.startsWith('SuccessfulCreate Created pod: web-')));
    assert.deepEqual(plane.complaints, []);
  });

  it('replace all Pods at once where two templates must not run together', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(deployments).create(deployment('nginx:1', 2, { strategy: { type: 'Recreate' } }));
    await plane.waitFor('the roll-out', () => isRolledOut(2, 1));
    await client(deployments).patch(web, { type: 'strategic', body: { spec: { template: template('nginx:2', { app: 'web' }) } } });
    await plane.waitFor('the update', () => isRolledOut(2, 2));
    const said = (await listAll(client(events), { namespace })).items.filter(({ reason }) => reason === 'ScalingReplicaSet');
    const steps = said.map(({ message }) => (message ?? '').replace(/replica set \S+ /, '')).sort();
    assert.deepEqual(steps, ['Scaled down from 2 to 0', 'Scaled up from 0 to 2', 'Scaled up from 0 to 2']);
    assert.deepEqual(plane.complaints, []);
  });

  it('do not roll out while paused, but scale', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(deployments).create(deployment('nginx:1', 2));
    await plane.waitFor('the roll-out', () => isRolledOut(2, 1));
    const body = { spec: { paused: true, replicas: 3, template: template('nginx:2', { app: 'web' }) } };
    await client(deployments).patch(web, { type: 'strategic', body });
    const paused = await plane.waitFor('the new size', async () => {
      const found = await client(deployments).get(web);
      return found.status?.availableReplicas === 3 && found.status.observedGeneration === 2 && found;
    });
    assert.equal(paused.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason, 'DeploymentPaused');
    assert.equal((await client(replicaSets).list({ namespace })).items.length, 1);
    await client(deployments).patch(web, { type: 'strategic', body: { spec: { paused: false } } });
    await plane.waitFor('the update', () => isRolledOut(3, 3));
    assert.deepEqual(plane.complaints, []);
  });

  it('collect what a deleted Deployment leaves', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(deployments).create(deployment('nginx:1', 2));
    await plane.waitFor('the roll-out', () => isRolledOut(2, 1));
    await client(deployments).delete(web, { propagationPolicy: 'Background' });
    await plane.waitFor('the end', async () => {
      const left = [...(await client(replicaSets).list({ namespace })).items, ...(await client(pods).list({ namespace })).items];
      return left.length === 0;
    });
    assert.deepEqual(plane.complaints, []);
  });

  it('delete dependents first, or cut them loose, when asked to', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(deployments).create(deployment('nginx:1', 2));
    await plane.waitFor('the roll-out', () => isRolledOut(2, 1));
    const [set] = (await client(replicaSets).list({ namespace })).items;
    await client(deployments).delete(web, { propagationPolicy: 'Orphan' });
    await plane.waitFor('the orphan', async () => {
      const [orphan] = (await client(replicaSets).list({ namespace })).items;
      return orphan?.metadata.uid === set?.metadata.uid && orphan?.metadata.ownerReferences === undefined;
    });
    await client(replicaSets).delete({ namespace, name: set?.metadata.name ?? '' }, { propagationPolicy: 'Foreground' });
    await plane.waitFor('the end', async () => (await client(replicaSets).list({ namespace })).items.length === 0);
    assert.deepEqual((await client(pods).list({ namespace })).items, []);
    assert.deepEqual(plane.complaints, []);
  });

  it('tell where a Service is', async () => {
    const { client } = plane;
    plane.playKubelet();
    await client(services).create({ metadata: { ...web }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } });
    await client(nodes).create({ metadata: { name: 'one' } });
    const { spec, ...rest } = deployment('nginx:1', 2);
    const podTemplate = { ...spec?.template, spec: { nodeName: 'one', containers: [{ name: 'main', image: 'nginx:1' }] } };
    await client(deployments).create({ ...rest, spec: { selector: {}, ...spec, template: podTemplate } });
    const slice = await plane.waitFor('the slice', async () => {
      const { items } = await client(endpointSlices).list({ namespace, labelSelector: 'kubernetes.io/service-name=web' });
      return items.length === 1 && items[0]?.endpoints?.length === 2 ? items[0] : undefined;
    });
    assert.deepEqual(slice.ports, [{ name: '', port: 8080, protocol: 'TCP' }]);
    const { subsets } = await plane.waitFor<Endpoints>('the Endpoints', async () => {
      const found = await ignoreNotFound(client(endpoints).get(web));
      return found?.subsets?.[0]?.addresses?.length === 2 ? found : undefined;
    });
    assert.deepEqual(subsets?.[0]?.ports, [{ port: 8080, protocol: 'TCP' }]);
    assert.deepEqual(plane.complaints, []);
  });

  it('divide the endpoints of a Service among zones by what these have', async () => {
    const { client } = plane;
    plane.playKubelet();
    for (const [name, zone, cpu] of [
      ['one', 'a', '4'],
      ['two', 'b', '4'],
    ] as const) {
      await client(nodes).create({ metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } } });
      const body = { status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True' }] } };
      await client(nodes).patch({ namespace: '', name }, { type: 'strategic', body }, { subresource: 'status' });
    }
    const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
    for (const name of ['p1', 'p2', 'p3', 'p4']) {
      const spec = { nodeName: 'one', containers: [{ name: 'main', image: 'nginx:1' }] };
      await client(pods).create({ metadata: { namespace, name, labels: { app: 'web' } }, spec });
    }
    await client(services).create({ metadata: { ...web, annotations }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
    const hints = async () => {
      const { items } = await client(endpointSlices).list({ namespace, labelSelector: 'kubernetes.io/service-name=web' });
      return items.flatMap(({ endpoints: all }) => (all ?? []).map((one) => one.hints?.forZones?.[0]?.name ?? '-')).sort();
    };
    const waitForHints = (text: string) => plane.waitFor(`hints ${text}`, async () => (await hints()).join() === text);
    await waitForHints('a,a,b,b');
    await client(nodes).patch(
      { namespace: '', name: 'two' },
      { type: 'strategic', body: { metadata: { labels: { 'topology.kubernetes.io/zone': 'c' } } } },
    );
    await waitForHints('a,a,c,c');
    await client(services).patch(web, { type: 'merge', body: { metadata: { annotations: null } } });
    await waitForHints('-,-,-,-');
    const said = (await listAll(client(events), { namespace })).items
      .filter(({ reason }) => reason?.startsWith('Topology'))
      .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    assert.ok(said.includes('Normal TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4'), said.join('\n'));
    assert.ok(
      said.includes('Warning TopologyAwareHintsDisabled: Topology Aware Hints has been disabled, addressType: IPv4'),
      said.join('\n'),
    );
    assert.deepEqual(plane.complaints, []);
  });

  const job = (spec: Partial<NonNullable<Job['spec']>>): Job => ({
    metadata: { namespace, name: 'work' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } }, ...spec },
  });
  const ended = async () => {
    const { status } = await plane.client(jobs).get({ namespace, name: 'work' });
    return status?.conditions?.some(({ type, status: state }) => (type === 'Complete' || type === 'Failed') && state === 'True') && status;
  };

  it('run a Job to its end', async () => {
    plane.playKubelet(becomeFinished('Succeeded'));
    await plane.client(jobs).create(job({ completions: 5, parallelism: 2 }));
    const status = await plane.waitFor('the end', ended);
    assert.ok(status);
    assert.deepEqual([status.succeeded, status.failed, status.active, status.ready, status.terminating], [5, undefined, undefined, 0, 0]);
    assert.deepEqual(
      status.conditions?.map(({ type, reason }) => [type, reason]),
      [
        ['SuccessCriteriaMet', 'CompletionsReached'],
        ['Complete', 'CompletionsReached'],
      ],
    );
    const { items } = await plane.client(pods).list({ namespace });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.finalizers),
      Array.from({ length: 5 }, () => undefined),
    );
    assert.deepEqual(plane.complaints, []);
  });

  it('run an Indexed Job, each index once', async () => {
    plane.playKubelet(becomeFinished('Succeeded'));
    await plane.client(jobs).create(job({ completions: 3, parallelism: 3, completionMode: 'Indexed' }));
    const status = await plane.waitFor('the end', ended);
    assert.equal(status && status.completedIndexes, '0-2');
    const { items } = await plane.client(pods).list({ namespace });
    assert.deepEqual(items.map(({ spec }) => spec?.hostname).sort(), ['work-0', 'work-1', 'work-2']);
  });

  it('give a Job up', async () => {
    plane.playKubelet(becomeFinished('Failed'));
    await plane.client(jobs).create(job({ backoffLimit: 0 }));
    const status = await plane.waitFor('the end', ended);
    assert.equal(status && status.failed, 1);
    assert.deepEqual(status && status.conditions?.map(({ type, reason }) => [type, reason]), [
      ['FailureTarget', 'BackoffLimitExceeded'],
      ['Failed', 'BackoffLimitExceeded'],
    ]);
  });

  it('bring a StatefulSet up in order, and update it from its end', async () => {
    const { client } = plane;
    const created: string[] = [];
    plane.playKubelet((pod) => {
      if (!created.includes(pod.metadata.uid ?? '')) created.push(pod.metadata.uid ?? '');
      return becomeReady(pod);
    });
    const key = { namespace, name: 'db' };
    await client(statefulSets).create({
      metadata: { ...key },
      spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: template('redis:1', { app: 'db' }) },
    });
    const isUpdated = async (generation: number) => {
      const { status } = await client(statefulSets).get(key);
      const isCurrent = status?.currentRevision === status?.updateRevision && status?.observedGeneration === generation;
      return isCurrent && status?.availableReplicas === 3 && status.updatedReplicas === 3;
    };
    await plane.waitFor('the set', () => isUpdated(1));
    const { items } = await client(pods).list({ namespace, labelSelector: 'app=db' });
    assert.deepEqual(
      created,
      items.map(({ metadata }) => metadata.uid),
      'created in order of their names',
    );
    assert.deepEqual(
      items.map(({ spec }) => [spec?.hostname, spec?.subdomain]),
      [
        ['db-0', 'db'],
        ['db-1', 'db'],
        ['db-2', 'db'],
      ],
    );
    await client(statefulSets).patch(key, { type: 'strategic', body: { spec: { template: template('redis:2', { app: 'db' }) } } });
    await plane.waitFor('the update', () => isUpdated(2));
    const after = await client(pods).list({ namespace, labelSelector: 'app=db' });
    assert.deepEqual(
      created.slice(3).toReversed(),
      after.items.map(({ metadata }) => metadata.uid),
    );
    assert.deepEqual(
      after.items.map(({ spec }) => spec?.containers[0]?.image),
      ['redis:2', 'redis:2', 'redis:2'],
    );
    const { status } = await client(statefulSets).get(key);
    assert.deepEqual([status?.replicas, status?.currentReplicas, status?.collisionCount], [3, 3, 0]);
    assert.deepEqual(plane.complaints, []);
  });

  it('run a DaemonSet on every node that it tolerates, and update it', async () => {
    const { client } = plane;
    plane.playKubelet();
    for (const name of ['n1', 'n2', 'n3']) await client(nodes).create({ metadata: { name } });
    await client(nodes).create({ metadata: { name: 'n4' }, spec: { taints: [{ key: 'only', value: 'others', effect: 'NoSchedule' }] } });
    const key = { namespace, name: 'agent' };
    await client(daemonSets).create({
      metadata: { ...key },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent:1', { app: 'agent' }) },
    });
    const isUpdated = async (generation: number) => {
      const { status } = await client(daemonSets).get(key);
      return status?.observedGeneration === generation && status.updatedNumberScheduled === 3 && status.numberAvailable === 3 && status;
    };
    const status = await plane.waitFor('the set', () => isUpdated(1));
    assert.deepEqual([status.desiredNumberScheduled, status.currentNumberScheduled, status.numberMisscheduled], [3, 3, 0]);
    await client(daemonSets).patch(key, { type: 'strategic', body: { spec: { template: template('agent:2', { app: 'agent' }) } } });
    await plane.waitFor('the update', () => isUpdated(2));
    const { items } = await client(pods).list({ namespace, labelSelector: 'app=agent' });
    assert.deepEqual(
      items.map(({ spec }) => spec?.containers[0]?.image),
      ['agent:2', 'agent:2', 'agent:2'],
    );
    const revisions = (await client(controllerRevisions).list({ namespace })).items.map(({ revision }) => revision);
    assert.deepEqual(revisions.sort(), [1, 2]);
    assert.deepEqual(plane.complaints, []);
  });

  it('start what a CronJob has missed', async () => {
    const { client } = plane;
    plane.playKubelet(becomeFinished('Succeeded'));
    const key = { namespace, name: 'tick' };
    await client(cronJobs).create({
      metadata: { ...key },
      spec: { schedule: '@every 1s', jobTemplate: { spec: job({}).spec ?? { template: {} } } },
    });
    const status = await plane.waitFor('a success', async () => {
      const found = (await client(cronJobs).get(key)).status;
      return found?.lastSuccessfulTime !== undefined && found;
    });
    assert.ok(status.lastScheduleTime);
    await plane.waitFor('an event', async () => {
      const { items } = await client(events).list({ namespace });
      return items.some(({ reason }) => reason === 'SawCompletedJob') && items.some(({ reason }) => reason === 'Completed');
    });
  });

  it('empty a deleted namespace, Pods first', async () => {
    const { client } = plane;
    const key = { namespace: '', name: 'gone' };
    await client(namespaces).create({ metadata: { name: 'gone' } });
    await plane.waitFor('the account', () => ignoreNotFound(client(serviceAccounts).get({ namespace: 'gone', name: 'default' })));
    const held = { namespace: 'gone', name: 'held', finalizers: ['example.com/hold'] };
    const pod = await client(pods).create({ metadata: held, spec: template('nginx:1', {}).spec });
    await client(configMaps).create({ metadata: { namespace: 'gone', name: 'kept-for-the-pod' } });
    await client(namespaces).delete(key);
    const { status } = await plane.waitFor('the conditions', async () => {
      const found = await client(namespaces).get(key);
      return found.status?.conditions !== undefined && found;
    });
    assert.equal(status?.phase, 'Terminating');
    const told = status?.conditions?.filter((condition) => condition.status === 'True').map(({ type, message }) => [type, message]);
    assert.deepEqual(told, [
      ['NamespaceContentRemaining', 'Some resources are remaining: pods. has 1 resource instances'],
      ['NamespaceFinalizersRemaining', 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances'],
    ]);
    assert.equal((await client(configMaps).list({ namespace: 'gone', fieldSelector: 'metadata.name=kept-for-the-pod' })).items.length, 1);
    const body = { metadata: { uid: pod.metadata.uid, finalizers: [] } };
    await client(pods).patch(held, { type: 'merge', body });
    await plane.waitFor('the end', async () => (await ignoreNotFound(client(namespaces).get(key))) === undefined);
    assert.deepEqual((await client(configMaps).list({ namespace: 'gone' })).items, []);
  });

  it('mirror Endpoints that were made by hand', async () => {
    const { client } = plane;
    await client(services).create({ metadata: { namespace, name: 'elsewhere' }, spec: { ports: [{ port: 80 }] } });
    const key = { namespace, name: 'elsewhere' };
    await client(endpoints).create({ metadata: { ...key }, subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 8080 }] }] });
    const labelSelector = 'kubernetes.io/service-name=elsewhere';
    const slice = await plane.waitFor('the slice', async () => (await client(endpointSlices).list({ namespace, labelSelector })).items[0]);
    assert.deepEqual(slice.endpoints, [{ addresses: ['192.0.2.7'], conditions: { ready: true } }]);
    assert.deepEqual(slice.ports, [{ name: '', port: 8080, protocol: 'TCP' }]);
    await client(endpoints).delete(key);
    await plane.waitFor('its end', async () => (await client(endpointSlices).list({ namespace, labelSelector })).items.length === 0);
    assert.deepEqual(plane.complaints, []);
  });

  it('say how many Pods may be taken down', async () => {
    const { client } = plane;
    plane.playKubelet();
    const spec = { maxUnavailable: '34%', selector: { matchLabels: { app: 'web' } } };
    await client(podDisruptionBudgets).create({ metadata: { ...web }, spec });
    await client(deployments).create(deployment('nginx:1', 3));
    const status = await plane.waitFor('the budget', async () => {
      const found = (await client(podDisruptionBudgets).get(web)).status;
      return found?.currentHealthy === 3 && found;
    });
    assert.deepEqual([status.expectedPods, status.desiredHealthy, status.disruptionsAllowed], [3, 1, 2]);
    assert.deepEqual(
      status.conditions?.map(({ type, status: state, reason }) => [type, state, reason]),
      [['DisruptionAllowed', 'True', 'SufficientPods']],
    );
  });

  it('fill roles that are made up of others', async () => {
    const { client } = plane;
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    const rule = { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] };
    await client(clusterRoles).create({ metadata: { name: 'widgets', labels }, rules: [rule] });
    for (const name of ['view', 'edit', 'admin']) {
      await plane.waitFor(name, async () => {
        const { rules } = await client(clusterRoles).get({ namespace: '', name });
        return rules?.some(({ apiGroups }) => apiGroups?.includes('example.com'));
      });
    }
    assert.deepEqual(plane.complaints, []);
  });
});
