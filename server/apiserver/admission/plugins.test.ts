import assert from 'node:assert/strict';
import type { Client } from '../../../api/client/client.ts';
import { hasCause } from '../../../api/meta/status-errors.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import { leases } from '../../../api/resources/coordination/v1/lease.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { limitRanges } from '../../../api/resources/core/v1/limit-range.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { ingressClasses } from '../../../api/resources/networking/v1/ingress-class.ts';
import { ingresses } from '../../../api/resources/networking/v1/ingress.ts';
import { runtimeClasses } from '../../../api/resources/node/v1/runtime-class.ts';
import { priorityClasses } from '../../../api/resources/scheduling/v1/priority-class.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import type { Container, Pod, PodSpec } from '../../../api/types/core-v1.ts';
import { type CompleteServer, eventually, refusal, startCompleteServerOn } from '../testing/complete-server.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';

describeOnEachStore('admission on a whole server', (store) => {
  let complete: CompleteServer;
  let admin: Client;
  const as = (name: string, ...groups: string[]) => complete.as(name, ...groups);
  const message = refusal;

  before(async () => {
    complete = await startCompleteServerOn(store());
    ({ admin } = complete);
  });
  after(() => complete.close());

  let count = 0;
  const pod = (spec: Partial<PodSpec> = {}, namespace = 'default', metadata: Partial<Pod['metadata']> = {}): Pod => ({
    metadata: { namespace, name: `pod-${++count}`, ...metadata },
    spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
  });
  const createPod = (...parameters: Parameters<typeof pod>) => admin(pods).create(pod(...parameters));
  const space = async (name: string) => {
    await admin(namespaces).create({ metadata: { name } });
    await admin(serviceAccounts).create({ metadata: { namespace: name, name: 'default' } });
  };

  describe('NamespaceLifecycle', () => {
    it('refuses what is in no namespace', async () => {
      assert.equal(
        await message(admin(configMaps).create({ metadata: { namespace: 'nowhere', name: 'a' } })),
        'namespaces "nowhere" not found',
      );
    });

    it('knows a namespace as soon as it has been made', async () => {
      await admin(namespaces).create({ metadata: { name: 'fresh' } });
      await admin(configMaps).create({ metadata: { namespace: 'fresh', name: 'a' } });
    });

    it('keeps the system namespaces', async () => {
      assert.equal(
        await message(admin(namespaces).delete({ namespace: '', name: 'kube-system' })),
        'namespaces "kube-system" is forbidden: this namespace may not be deleted',
      );
    });

    it('lets nothing into a namespace as soon as it is being deleted', async () => {
      await admin(namespaces).create({ metadata: { name: 'going' } });
      await admin(configMaps).create({ metadata: { namespace: 'going', name: 'before' } });
      await admin(namespaces).delete({ namespace: '', name: 'going' });
      const refused = await admin(configMaps)
        .create({ metadata: { namespace: 'going', name: 'after' } })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      assert.ok(hasCause(refused, 'NamespaceTerminating'), String(refused));
      assert.equal(
        (refused as StatusError).message,
        'configmaps "after" is forbidden: unable to create new content in namespace going because it is being terminated',
      );
      await admin(configMaps).update({ metadata: { namespace: 'going', name: 'before' }, data: { a: 'b' } });
      await admin(configMaps).delete({ namespace: 'going', name: 'before' });
    });
  });

  describe('ServiceAccount', () => {
    it('gives the default account, its token and its pull secrets', async () => {
      await space('accounts');
      const key = { namespace: 'accounts', name: 'default' };
      await admin(serviceAccounts).patch(key, { type: 'merge', body: { imagePullSecrets: [{ name: 'registry' }] } });
      await eventually('pull secrets', async () => {
        const probe = await createPod({}, 'accounts');
        return (probe.spec?.imagePullSecrets ?? []).length > 0;
      });
      const { spec } = await createPod({ initContainers: [{ name: 'init', image: 'init' }] }, 'accounts');
      assert.deepEqual([spec?.serviceAccountName, spec?.serviceAccount], ['default', 'default']);
      const [volume] = spec?.volumes ?? [];
      assert.match(volume?.name ?? '', /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      assert.deepEqual(volume?.projected, {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
        ],
        defaultMode: 420,
      });
      for (const container of [spec?.containers[0], spec?.initContainers?.[0]]) {
        assert.deepEqual(container?.volumeMounts, [
          { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
        ]);
      }
    });

    it('mounts no token where nobody wants one', async () => {
      assert.equal((await createPod({ automountServiceAccountToken: false })).spec?.volumes, undefined);
      const own: Container = {
        name: 'app',
        image: 'app',
        volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
      };
      const { spec } = await createPod({ containers: [own], volumes: [{ name: 'x', emptyDir: {} }] });
      assert.equal(spec?.volumes?.length, 1);
    });

    it('refuses accounts that do not exist', async () => {
      const refused = await message(admin(pods).create(pod({ serviceAccountName: 'nobody' }, 'default', { name: 'lost' })));
      assert.equal(refused, 'pods "lost" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found');
    });

    it('waits for the default account of a new namespace', async () => {
      await admin(namespaces).create({ metadata: { name: 'young' } });
      const creating = createPod({}, 'young');
      await admin(serviceAccounts).create({ metadata: { namespace: 'young', name: 'default' } });
      assert.equal((await creating).spec?.serviceAccountName, 'default');
    });

    it('holds accounts that insist on it to their own secrets', async () => {
      await admin(serviceAccounts).create({
        metadata: { namespace: 'default', name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
        secrets: [{ name: 'mine' }],
      });
      const withSecret = (secretName: string) =>
        createPod({ serviceAccountName: 'strict', volumes: [{ name: 's', secret: { secretName } }] });
      await withSecret('mine');
      assert.match(
        await message(withSecret('other')),
        /volume with secret\.secretName="other" is not allowed because service account strict does not reference that secret$/,
      );
    });
  });

  it('DefaultTolerationSeconds lets Pods stay for five minutes', async () => {
    const { spec } = await createPod();
    assert.deepEqual(spec?.tolerations, [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ]);
    assert.equal((await createPod({ tolerations: [{ operator: 'Exists' }] })).spec?.tolerations?.length, 1);
  });

  it('TaintNodesByCondition keeps Pods off new Nodes', async () => {
    const { spec } = await admin(nodes).create({ metadata: { name: 'new' } });
    assert.deepEqual(spec?.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
  });

  it('Priority turns names into numbers', async () => {
    assert.deepEqual([(await createPod()).spec?.priority, (await createPod()).spec?.preemptionPolicy], [0, 'PreemptLowerPriority']);
    await admin(priorityClasses).create({ metadata: { name: 'batch' }, value: 10, preemptionPolicy: 'Never' });
    const { spec } = await createPod({ priorityClassName: 'batch' });
    assert.deepEqual([spec?.priority, spec?.preemptionPolicy], [10, 'Never']);
    assert.equal((await createPod({ priorityClassName: 'system-node-critical' })).spec?.priority, 2_000_001_000);
    assert.match(await message(createPod({ priorityClassName: 'none' })), /is forbidden: no PriorityClass with name none was found$/);
    assert.match(
      await message(createPod({ priorityClassName: 'batch', priority: 11 })),
      /the integer value of priority \(11\) must not be provided in pod spec; priority admission controller computed 10 from the given PriorityClass name$/,
    );
    await admin(priorityClasses).create({ metadata: { name: 'usual' }, value: 5, globalDefault: true });
    await eventually('the default class', async () => (await createPod()).spec?.priorityClassName === 'usual');
    assert.match(
      await message(admin(priorityClasses).create({ metadata: { name: 'second' }, value: 6, globalDefault: true })),
      /PriorityClass usual is already marked as default\. Only one default can exist$/,
    );
    await admin(priorityClasses).delete({ namespace: '', name: 'usual' });
  });

  it('LimitRanger gives defaults and holds to limits', async () => {
    await space('limited');
    await admin(limitRanges).create({
      metadata: { namespace: 'limited', name: 'limits' },
      spec: {
        limits: [
          {
            type: 'Container',
            default: { memory: '64Mi' },
            defaultRequest: { cpu: '100m' },
            max: { memory: '128Mi' },
            min: { memory: '4Mi' },
          },
        ],
      },
    });
    const { metadata, spec } = await createPod({}, 'limited');
    assert.equal(spec?.containers[0]?.resources?.limits?.['memory'], '64Mi');
    assert.equal(spec?.containers[0]?.resources?.requests?.['cpu'], '100m');
    assert.match(
      metadata.annotations?.['kubernetes.io/limit-ranger'] ?? '',
      /^LimitRanger plugin set: cpu.* request for container app; memory limit for container app$/,
    );
    const large: Container = { name: 'app', image: 'app', resources: { limits: { memory: '1Gi' } } };
    assert.match(
      await message(createPod({ containers: [large] }, 'limited')),
      /is forbidden: maximum memory usage per Container is 128Mi, but limit is 1Gi$/,
    );
  });

  it('classes become what they stand for', async () => {
    const isDefault = (group: string) => ({ annotations: { [`${group}.kubernetes.io/is-default-class`]: 'true' } });
    await admin(storageClasses).create({ metadata: { name: 'fast', ...isDefault('storageclass') }, provisioner: 'example.com/disk' });
    await admin(ingressClasses).create({
      metadata: { name: 'web', ...isDefault('ingressclass') },
      spec: { controller: 'example.com/web' },
    });
    await admin(runtimeClasses).create({
      metadata: { name: 'box' },
      handler: 'box',
      overhead: { podFixed: { memory: '10Mi' } },
      scheduling: { nodeSelector: { box: 'yes' } },
    });
    const claim = () => ({
      metadata: { namespace: 'default', name: `claim-${++count}` },
      spec: { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Gi' } } },
    });
    await eventually(
      'the storage class',
      async () => (await admin(persistentVolumeClaims).create(claim())).spec?.storageClassName === 'fast',
    );
    const ingress = () => ({
      metadata: { namespace: 'default', name: `ingress-${++count}` },
      spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
    });
    await eventually('the ingress class', async () => (await admin(ingresses).create(ingress())).spec?.ingressClassName === 'web');
    const { spec } = await createPod({ runtimeClassName: 'box' });
    assert.deepEqual([spec?.overhead, spec?.nodeSelector], [{ memory: '10Mi' }, { box: 'yes' }]);
    assert.match(await message(createPod({ runtimeClassName: 'none' })), /pod rejected: RuntimeClass "none" not found$/);
    assert.match(
      await message(createPod({ overhead: { memory: '1Mi' } })),
      /pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead$/,
    );
  });

  describe('NodeRestriction', () => {
    let node: Client;
    before(async () => {
      node = as('system:node:one', 'system:nodes');
      await node(nodes).create({ metadata: { name: 'one', labels: { 'kubernetes.io/hostname': 'one', free: 'yes' } } });
    });

    it('lets a node write about itself only', async () => {
      await node(leases).create({ metadata: { namespace: 'kube-node-lease', name: 'one' }, spec: { holderIdentity: 'one' } });
      assert.match(
        await message(node(leases).create({ metadata: { namespace: 'kube-node-lease', name: 'two' } })),
        /can only access node lease with the same name as the requesting node$/,
      );
      assert.match(await message(node(nodes).create({ metadata: { name: 'two' } })), /node "one" is not allowed to modify node "two"$/);
      const patch = (body: unknown) => node(nodes).patch({ namespace: '', name: 'one' }, { type: 'merge', body });
      await patch({ metadata: { labels: { other: 'x' } } });
      assert.match(
        await message(patch({ metadata: { labels: { 'node-restriction.kubernetes.io/x': 'x' } } })),
        /not allowed to modify labels: node-restriction\.kubernetes\.io\/x$/,
      );
      assert.match(await message(patch({ spec: { taints: [] } })), /node "one" is not allowed to modify taints$/);
    });

    it('lets a node make mirror Pods only', async () => {
      assert.match(
        await message(node(pods).create(pod({ nodeName: 'one' }))),
        /pod does not have "kubernetes\.io\/config\.mirror" annotation, node "one" can only create mirror pods$/,
      );
      const { uid = '' } = (await admin(nodes).get({ namespace: '', name: 'one' })).metadata;
      const owner = { apiVersion: 'v1', kind: 'Node', name: 'one', uid, controller: true };
      const mirror = pod({ nodeName: 'one' }, 'default', { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner] });
      assert.equal((await node(pods).create(mirror)).spec?.volumes, undefined);
      const greedy = {
        ...mirror,
        metadata: { ...mirror.metadata, name: 'greedy' },
        spec: { ...mirror.spec, volumes: [{ name: 's', secret: { secretName: 's' } }], containers: [{ name: 'a', image: 'a' }] },
      };
      assert.match(await message(node(pods).create(greedy)), /a mirror pod may not reference secrets$/);
    });

    it('gives a node tokens only for Pods that run on it', async () => {
      const bound = await createPod({ nodeName: 'one' });
      const token = (boundObjectRef?: object, audiences: string[] = []) =>
        node(serviceAccounts).createSubresource<{ status: { token: string } }>({ namespace: 'default', name: 'default' }, 'token', {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences, ...(boundObjectRef ? { boundObjectRef } : {}) },
        });
      const reference = { apiVersion: 'v1', kind: 'Pod', name: bound.metadata.name, uid: bound.metadata.uid };
      await eventually('the node to be known as the place of the Pod', async () =>
        token(reference).then(
          ({ status }) => status.token !== '',
          () => false,
        ),
      );
      assert.match(await message(token()), /node requested token not bound to a pod$/);
      assert.match(
        await message(token({ ...reference, uid: 'other' })),
        /the UID in the bound object reference \(other\) does not match the UID in record/,
      );
      assert.match(await message(token(reference, ['vault'])), /audience "vault" not found in pod spec volume/);
    });
  });
});
