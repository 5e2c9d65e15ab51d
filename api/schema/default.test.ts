import assert from 'node:assert/strict';
import { decode } from './decode.ts';
import { applyDefaults, defaultsFor } from './default.ts';
import { getDefinitionSchema } from './definition-schema.ts';
import { definitionTexts, packagesByAPIVersion } from './generated/definition-texts.ts';
import { orderFields } from './order-fields.ts';

/** A definition, an object as it is sent, and the values expected after decoding and defaulting, by field path. */
type Case = readonly [definition: string, sent: object, expected: Readonly<Record<string, unknown>>];

const at = (value: unknown, path: string): unknown =>
  path.split('/').reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], value);
const container = (fields: object) => ({ spec: { containers: [{ name: 'c', image: 'nginx', ...fields }] } });

const cases: readonly Case[] = [
  [
    'core.v1.Pod',
    container({ ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } }),
    {
      'spec/dnsPolicy': 'ClusterFirst',
      'spec/restartPolicy': 'Always',
      'spec/schedulerName': 'default-scheduler',
      'spec/terminationGracePeriodSeconds': 30,
      'spec/securityContext': {},
      'spec/enableServiceLinks': true,
      'spec/containers/0': {
        name: 'c',
        image: 'nginx',
        imagePullPolicy: 'Always',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        livenessProbe: {
          httpGet: { port: 80, path: '/', scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    },
  ],
  ['core.v1.Pod', container({ image: 'nginx:1.2' }), { 'spec/containers/0/imagePullPolicy': 'IfNotPresent' }],
  ['core.v1.Pod', container({ image: 'nginx:latest' }), { 'spec/containers/0/imagePullPolicy': 'Always' }],
  ['core.v1.Pod', container({ image: `nginx@sha256:${'a'.repeat(64)}` }), { 'spec/containers/0/imagePullPolicy': 'IfNotPresent' }],
  [
    'core.v1.Pod',
    container({ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } } }),
    { 'spec/containers/0/resources/requests': { cpu: '100m', memory: '1Gi' } },
  ],
  [
    'core.v1.Pod',
    container({ resources: { limits: { cpu: '1000100n' } } }),
    { 'spec/containers/0/resources/limits/cpu': '2m', 'spec/containers/0/resources/requests/cpu': '2m' },
  ],
  [
    'core.v1.Pod',
    { spec: { hostNetwork: true, containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } },
    { 'spec/containers/0/ports/0/hostPort': 80 },
  ],
  [
    'core.v1.Pod',
    {
      spec: {
        resources: { limits: { cpu: '2', memory: '1Gi' } },
        containers: [{ name: 'a', resources: { requests: { cpu: '300m' } } }],
        initContainers: [{ name: 'i', resources: { requests: { cpu: '1' } } }],
      },
    },
    { 'spec/resources/requests': { cpu: '1', memory: '1Gi' } },
  ],
  [
    'core.v1.Pod',
    {
      spec: {
        containers: [],
        volumes: [
          { name: 'a' },
          { name: 'b', configMap: { name: 'x' } },
          { name: 'c', hostPath: { path: '/' } },
          { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
          { name: 'e', image: { reference: 'x:1' } },
        ],
      },
    },
    {
      'spec/volumes/0': { name: 'a', emptyDir: {} },
      'spec/volumes/1/configMap/defaultMode': 420,
      'spec/volumes/2/hostPath/type': '',
      'spec/volumes/3/projected': { defaultMode: 420, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] },
      'spec/volumes/4/image/pullPolicy': 'IfNotPresent',
    },
  ],
  [
    'apps.v1.Deployment',
    { spec: { template: container({ resources: { limits: { cpu: '1' } } }) } },
    {
      'spec/replicas': 1,
      'spec/strategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      'spec/revisionHistoryLimit': 10,
      'spec/progressDeadlineSeconds': 600,
      'spec/template/spec/containers/0/resources': { limits: { cpu: '1' } },
      'spec/template/spec/enableServiceLinks': undefined,
      'spec/template/spec/containers/0/terminationMessagePolicy': 'File',
    },
  ],
  [
    'apps.v1.Deployment',
    { spec: { replicas: 0, strategy: { type: 'Recreate' } } },
    { 'spec/replicas': 0, 'spec/strategy': { type: 'Recreate' } },
  ],
  ['apps.v1.ReplicaSet', {}, { 'spec/replicas': 1 }],
  [
    'apps.v1.DaemonSet',
    {},
    {
      'spec/updateStrategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      'spec/revisionHistoryLimit': 10,
    },
  ],
  [
    'apps.v1.StatefulSet',
    { spec: { volumeClaimTemplates: [{}] } },
    {
      'spec/podManagementPolicy': 'OrderedReady',
      'spec/updateStrategy': { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      'spec/persistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
      'spec/volumeClaimTemplates/0/spec/volumeMode': 'Filesystem',
      'spec/volumeClaimTemplates/0/status/phase': 'Pending',
      'spec/volumeClaimTemplates/0/kind': 'PersistentVolumeClaim',
      'spec/volumeClaimTemplates/0/apiVersion': 'v1',
    },
  ],
  ['apps.v1.StatefulSet', { spec: { updateStrategy: { type: 'RollingUpdate' } } }, { 'spec/updateStrategy': { type: 'RollingUpdate' } }],
  [
    'batch.v1.Job',
    { spec: { template: { metadata: { labels: { a: 'b' } } } } },
    {
      'spec/completions': 1,
      'spec/parallelism': 1,
      'spec/backoffLimit': 6,
      'spec/completionMode': 'NonIndexed',
      'spec/suspend': false,
      'spec/podReplacementPolicy': 'TerminatingOrFailed',
      'spec/manualSelector': false,
      'metadata/labels': { a: 'b' },
    },
  ],
  [
    'batch.v1.Job',
    {
      spec: {
        parallelism: 3,
        backoffLimitPerIndex: 1,
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'X' }] }] },
      },
    },
    {
      'spec/completions': undefined,
      'spec/parallelism': 3,
      'spec/backoffLimit': 2_147_483_647,
      'spec/podReplacementPolicy': 'Failed',
      'spec/podFailurePolicy/rules/0/onPodConditions/0/status': 'True',
    },
  ],
  [
    'batch.v1.CronJob',
    {},
    { 'spec/concurrencyPolicy': 'Allow', 'spec/suspend': false, 'spec/successfulJobsHistoryLimit': 3, 'spec/failedJobsHistoryLimit': 1 },
  ],
  [
    'core.v1.Service',
    { spec: { ports: [{ port: 80 }] } },
    {
      'spec/type': 'ClusterIP',
      'spec/sessionAffinity': 'None',
      'spec/ports/0': { port: 80, protocol: 'TCP', targetPort: 80 },
      'spec/internalTrafficPolicy': 'Cluster',
      'spec/externalTrafficPolicy': undefined,
    },
  ],
  [
    'core.v1.Service',
    {
      spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP' },
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'h' }] } },
    },
    {
      'spec/allocateLoadBalancerNodePorts': true,
      'spec/externalTrafficPolicy': 'Cluster',
      'spec/sessionAffinityConfig': { clientIP: { timeoutSeconds: 10_800 } },
      'status/loadBalancer/ingress': [{ ip: '1.2.3.4', ipMode: 'VIP' }, { hostname: 'h' }],
    },
  ],
  [
    'core.v1.Service',
    { spec: { type: 'ExternalName', sessionAffinityConfig: { clientIP: {} } } },
    { 'spec/internalTrafficPolicy': undefined, 'spec/sessionAffinityConfig': undefined },
  ],
  [
    'core.v1.Namespace',
    { metadata: { name: 'x', labels: { a: 'b' } } },
    { 'metadata/labels': { a: 'b', 'kubernetes.io/metadata.name': 'x' }, 'status/phase': 'Active' },
  ],
  ['core.v1.Secret', {}, { type: 'Opaque' }],
  ['core.v1.Node', { status: { capacity: { cpu: '4' } } }, { 'status/allocatable': { cpu: '4' } }],
  [
    'core.v1.PersistentVolume',
    {},
    { 'status/phase': 'Pending', 'spec/persistentVolumeReclaimPolicy': 'Retain', 'spec/volumeMode': 'Filesystem' },
  ],
  [
    'core.v1.LimitRange',
    { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
    {
      'spec/limits/0': {
        type: 'Container',
        max: { cpu: '2' },
        min: { memory: '1Mi' },
        default: { cpu: '2' },
        defaultRequest: { cpu: '2', memory: '1Mi' },
      },
    },
  ],
  [
    'core.v1.ReplicationController',
    { spec: { template: { metadata: { labels: { a: 'b' } } } } },
    { 'spec/selector': { a: 'b' }, 'metadata/labels': { a: 'b' }, 'spec/replicas': 1, 'spec/minReadySeconds': undefined },
  ],
  ['core.v1.Endpoints', { subsets: [{ ports: [{ port: 1 }] }] }, { 'subsets/0/ports/0/protocol': 'TCP' }],
  ['discovery.v1.EndpointSlice', { ports: [{ port: 1 }] }, { 'ports/0': { name: '', port: 1, protocol: 'TCP' } }],
  ['networking.v1.NetworkPolicy', { spec: { egress: [{}] } }, { 'spec/policyTypes': ['Ingress', 'Egress'] }],
  [
    'networking.v1.NetworkPolicy',
    { spec: { ingress: [{ ports: [{ port: 1 }] }] } },
    { 'spec/policyTypes': ['Ingress'], 'spec/ingress/0/ports/0/protocol': 'TCP' },
  ],
  ['networking.v1.IngressClass', { spec: { parameters: { kind: 'K', name: 'n' } } }, { 'spec/parameters/scope': 'Cluster' }],
  ['networking.v1.IngressClass', { spec: {} }, { 'spec/parameters': undefined }],
  [
    'rbac.v1.ClusterRoleBinding',
    {
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
    {
      'roleRef/apiGroup': 'rbac.authorization.k8s.io',
      'subjects/0/apiGroup': 'rbac.authorization.k8s.io',
      'subjects/1/apiGroup': undefined,
    },
  ],
  [
    'autoscaling.v2.HorizontalPodAutoscaler',
    { spec: { behavior: { scaleDown: { selectPolicy: 'Min' } } } },
    {
      'spec/minReplicas': 1,
      'spec/metrics': [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
      'spec/behavior/scaleUp': {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      'spec/behavior/scaleDown': { selectPolicy: 'Min', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
    },
  ],
  ['autoscaling.v1.HorizontalPodAutoscaler', {}, { 'spec/targetCPUUtilizationPercentage': 80 }],
  [
    'admissionregistration.v1.ValidatingWebhookConfiguration',
    { webhooks: [{ rules: [{}], clientConfig: { service: { name: 's' } } }] },
    {
      'webhooks/0/failurePolicy': 'Fail',
      'webhooks/0/matchPolicy': 'Equivalent',
      'webhooks/0/timeoutSeconds': 10,
      'webhooks/0/namespaceSelector': {},
      'webhooks/0/rules/0/scope': '*',
      'webhooks/0/clientConfig/service/port': 443,
    },
  ],
  [
    'storage.v1.CSIDriver',
    { spec: { attachRequired: false } },
    {
      'spec/attachRequired': false,
      'spec/podInfoOnMount': false,
      'spec/volumeLifecycleModes': ['Persistent'],
      'spec/fsGroupPolicy': 'ReadWriteOnceWithFSType',
    },
  ],
  ['storage.v1.StorageClass', {}, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }],
  ['scheduling.v1.PriorityClass', {}, { preemptionPolicy: 'PreemptLowerPriority' }],
  [
    'flowcontrol.v1.PriorityLevelConfiguration',
    { spec: { limited: { nominalConcurrencyShares: 0, limitResponse: { queuing: {} } } } },
    {
      'spec/limited/nominalConcurrencyShares': 0,
      'spec/limited/lendablePercent': 0,
      'spec/limited/limitResponse/queuing': { handSize: 8, queues: 64, queueLengthLimit: 50 },
    },
  ],
  [
    'resource.v1.ResourceClaim',
    {
      spec: {
        devices: {
          requests: [
            { name: 'r', exactly: { deviceClassName: 'c' } },
            { name: 's', firstAvailable: [{ name: 't', allocationMode: 'All' }] },
          ],
        },
      },
    },
    {
      'spec/devices/requests/0/exactly/count': 1,
      'spec/devices/requests/0/exactly/allocationMode': 'ExactCount',
      'spec/devices/requests/1/firstAvailable/0/count': undefined,
    },
  ],
  ['authentication.v1.TokenRequest', {}, { 'spec/expirationSeconds': 3600 }],
  [
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
    {
      spec: {
        names: { kind: 'Foo' },
        versions: [
          { name: 'v1', storage: false },
          { name: 'v2', storage: true },
        ],
      },
    },
    {
      'spec/names': { plural: '', kind: 'Foo', singular: 'foo', listKind: 'FooList' },
      'spec/conversion': { strategy: 'None' },
      'status/storedVersions': ['v2'],
    },
  ],
];

describe('defaults', () => {
  for (const [definition, sent, expected] of cases) {
    it(`sets those of ${definition} ${JSON.stringify(sent).slice(0, 80)}`, () => {
      const name = definition.startsWith('io.') ? definition : `io.k8s.api.${definition}`;
      const { object } = decode(sent, getDefinitionSchema(name));
      defaultsFor(name)(object);
      for (const [path, value] of Object.entries(expected)) assert.deepEqual(at(object, path), value, path);
      const again = structuredClone(object);
      defaultsFor(name)(again);
      assert.deepEqual(again, object, 'applying them twice changes nothing');
    });
  }

  for (const [apiVersion, packageName] of packagesByAPIVersion) {
    it(`leave the kinds of ${apiVersion} in a form that reads back as the same bytes`, () => {
      const definitions = JSON.parse(definitionTexts.get(packageName) ?? '{}') as Record<string, { kind?: boolean }>;
      for (const kind of Object.keys(definitions).filter((name) => definitions[name]?.kind === true)) {
        const name = `${packageName}.${kind}`;
        const schema = getDefinitionSchema(name);
        const { object } = decode({ kind, apiVersion, metadata: {}, spec: {} }, schema);
        defaultsFor(name)(object);
        const stored = orderFields(object, schema);
        const again = decode(JSON.parse(JSON.stringify(stored)), schema).object;
        defaultsFor(name)(again);
        assert.equal(JSON.stringify(again), JSON.stringify(stored), kind);
      }
    });
  }

  it('sets the present time only where it is given', () => {
    const slice = () => ({ spec: { devices: [{ name: 'd', taints: [{ key: 'k', effect: 'NoSchedule' }] }] } });
    const [without, given] = [slice(), slice()];
    defaultsFor('io.k8s.api.resource.v1.ResourceSlice')(without);
    defaultsFor('io.k8s.api.resource.v1.ResourceSlice')(given, { nowMs: 1_700_000_000_999 });
    assert.equal(at(without, 'spec/devices/0/taints/0/timeAdded'), undefined);
    assert.equal(at(given, 'spec/devices/0/taints/0/timeAdded'), '2023-11-14T22:13:20Z');
  });

  it('sets declared defaults of any schema, not sharing them between objects', () => {
    const property = (schema: object) =>
      ({ schema: { type: 'object', ...schema }, required: false, omitEmpty: true, pointer: true }) as const;
    const schema = {
      type: 'object',
      properties: new Map([
        ['a', property({ default: { x: [1] } })],
        [
          'list',
          property({ type: 'array', items: { type: 'object', properties: new Map([['b', property({ type: 'string', default: 'd' })]]) } }),
        ],
      ]),
    } as const;
    const [first, second]: Record<string, unknown>[] = [{ list: [{}, { b: 'kept' }] }, {}];
    applyDefaults(first ?? {}, schema);
    applyDefaults(second ?? {}, schema);
    assert.deepEqual(first, { a: { x: [1] }, list: [{ b: 'd' }, { b: 'kept' }] });
    assert.notEqual(first?.['a'], second?.['a']);
  });
});
