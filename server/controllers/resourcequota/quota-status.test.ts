import assert from 'node:assert/strict';
import { isEqual } from '../../../api/base/equality.ts';
import { resourceQuotas } from '../../../api/resources/core/v1/resource-quota.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Pod, PodSpec, ResourceQuotaSpec } from '../../../api/types/core-v1.ts';
import { type ControlPlane, startControlPlane } from '../testing/control-plane.ts';
import { quotaStatus } from './quota-status.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const pod = (spec: Partial<PodSpec>, rest: Partial<Pod> = {}): Pod => ({
  metadata: { name: 'a' },
  spec: { containers: [], ...spec },
  ...rest,
});
const small = pod({
  containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } } }],
});

describe('status of quotas', () => {
  const cases: readonly (readonly [title: string, spec: ResourceQuotaSpec, pods: readonly Pod[], used: Record<string, string>])[] = [
    ['nothing there', { hard: { pods: '1', cpu: '1' } }, [], { pods: '0', cpu: '0' }],
    [
      'requests and limits',
      { hard: { pods: '5', cpu: '1', 'requests.cpu': '1', 'limits.memory': '1Gi', memory: '1Gi', 'count/pods': '9' } },
      [small, small],
      { pods: '2', cpu: '200m', 'requests.cpu': '200m', 'limits.memory': '256Mi', memory: '128Mi', 'count/pods': '2' },
    ],
    [
      'Pods that have ended',
      { hard: { pods: '5', 'count/pods': '5' } },
      [{ ...small, status: { phase: 'Succeeded' } }, small],
      { pods: '1', 'count/pods': '2' },
    ],
    [
      'Pods that should be gone',
      { hard: { pods: '5' } },
      [pod({}, { metadata: { name: 'a', deletionTimestamp: '2025-12-31T23:00:00Z', deletionGracePeriodSeconds: 30 } }), small],
      { pods: '1' },
    ],
    [
      'best effort only',
      { hard: { pods: '5' }, scopes: ['BestEffort'] },
      [small, pod({ containers: [{ name: 'a', image: 'a' }] })],
      { pods: '1' },
    ],
    ['with a deadline', { hard: { pods: '5' }, scopes: ['Terminating'] }, [small, pod({ activeDeadlineSeconds: 5 })], { pods: '1' }],
    [
      'of a priority',
      { hard: { pods: '5' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      [small, pod({ priorityClassName: 'high' })],
      { pods: '1' },
    ],
  ];
  for (const [title, spec, objects, used] of cases) {
    it(title, () => {
      const status = quotaStatus({ metadata: { name: 'q' }, spec }, [{ subject: { group: '', resource: 'pods' }, objects }], nowMs);
      assert.deepEqual(status, { hard: spec.hard, used });
    });
  }

  it('counts claims by their class and Services by their ports', () => {
    const hard = {
      persistentvolumeclaims: '9',
      'requests.storage': '9Gi',
      'fast.storageclass.storage.k8s.io/requests.storage': '9Gi',
      'services.nodeports': '9',
      'services.loadbalancers': '9',
    };
    const claim = (storageClassName: string) => ({ metadata: {}, spec: { storageClassName, resources: { requests: { storage: '1Gi' } } } });
    const service = (type: string) => ({ metadata: {}, spec: { type, ports: [{ port: 1 }, { port: 2 }] } });
    const { used } = quotaStatus(
      { metadata: { name: 'q' }, spec: { hard } },
      [
        { subject: { group: '', resource: 'persistentvolumeclaims' }, objects: [claim('fast'), claim('slow')] },
        { subject: { group: '', resource: 'services' }, objects: [service('ClusterIP'), service('NodePort'), service('LoadBalancer')] },
      ],
      nowMs,
    );
    assert.deepEqual(used, {
      persistentvolumeclaims: '2',
      'requests.storage': '2Gi',
      'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
      'services.nodeports': '4',
      'services.loadbalancers': '1',
    });
  });
});

describe('quota controller', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane();
  });
  after(() => plane.stop());

  it('takes up what the spec says and follows what comes and goes', async () => {
    const { client } = plane;
    const hard = { pods: '5', services: '5', configmaps: '5' };
    await client(resourceQuotas).create({ metadata: { namespace: 'default', name: 'quota' }, spec: { hard } });
    const reaches = (what: string, used: Record<string, string>) =>
      plane.waitFor(what, async () => {
        const { status } = await client(resourceQuotas).get({ namespace: 'default', name: 'quota' });
        return isEqual(status?.hard, hard) && Object.entries(used).every(([name, amount]) => status?.used?.[name] === amount);
      });
    // kube-root-ca.crt and the Service kubernetes are there already.
    await reaches('the first count', { pods: '0', services: '1', configmaps: '1' });
    await client(configMaps).create({ metadata: { namespace: 'default', name: 'a' } });
    await client(pods).create({ metadata: { namespace: 'default', name: 'a' }, spec: { containers: [{ name: 'a', image: 'a' }] } });
    await client(services).create({ metadata: { namespace: 'default', name: 'a' }, spec: { ports: [{ port: 80 }] } });
    await reaches('more', { pods: '1', services: '2', configmaps: '2' });
    await client(pods).delete({ namespace: 'default', name: 'a' });
    await client(services).delete({ namespace: 'default', name: 'a' });
    await reaches('less', { pods: '0', services: '1' });
    assert.deepEqual(plane.complaints, []);
  });
});
