import assert from 'node:assert/strict';
import type { KubeObject } from '../meta/object.ts';
import type { ResourceDefinition } from '../resource/resource-definition.ts';
import { createErrors } from './testing/strategy.ts';
import { daemonSets } from './apps/v1/daemon-set.ts';
import { statefulSets } from './apps/v1/stateful-set.ts';
import { horizontalPodAutoscalers } from './autoscaling/v2/horizontal-pod-autoscaler.ts';
import { flowSchemas } from './flowcontrol/v1/flow-schema.ts';
import { csiDrivers } from './storage/v1/csi-driver.ts';
import { csiNodes } from './storage/v1/csi-node.ts';
import { storageClasses } from './storage/v1/storage-class.ts';
import { volumeAttachments } from './storage/v1/volume-attachment.ts';

const metadata = { name: 'x' };

function table<T extends KubeObject>(definition: ResourceDefinition<T>, cases: readonly (readonly [string, object, readonly string[]])[]) {
  describe(`rules of ${definition.names.plural}`, () => {
    for (const [title, object, expected] of cases)
      it(title, () => assert.deepEqual(createErrors(definition, { metadata, ...object }), expected));
  });
}

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const expression = { key: 'a', values: ['b'] };
table(storageClasses, [
  ['names of provisioners', { provisioner: 'Bad Name' }, [`provisioner: Invalid value: "bad name": ${qualified}`]],
  [
    'modes',
    { provisioner: 'x', volumeBindingMode: '' },
    ['volumeBindingMode: Unsupported value: "": supported values: "Immediate", "WaitForFirstConsumer"'],
  ],
  [
    'values of labels may be any',
    { provisioner: 'x', allowedTopologies: [{ matchLabelExpressions: [{ key: 'a', values: ['no label!'] }] }] },
    [],
  ],
  [
    'terms are there once',
    {
      provisioner: 'x',
      allowedTopologies: [{ matchLabelExpressions: [expression] }, { matchLabelExpressions: [expression] }],
    },
    ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
  ],
  [
    'values are there once',
    { provisioner: 'x', allowedTopologies: [{ matchLabelExpressions: [{ key: 'a', values: ['b', 'b'] }] }] },
    ['allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "b"'],
  ],
]);

table(volumeAttachments, [
  [
    'names',
    { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'Bad' } } },
    [`spec.source.persistentVolumeName: Invalid value: "Bad": ${subdomain}`],
  ],
  [
    'no attacher',
    { spec: { attacher: '', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    ['spec.attacher: Required value', 'spec.attacher: Required value', `spec.attacher: Invalid value: "": ${subdomain}`],
  ],
]);

table(csiDrivers, [
  [
    'modes and audiences',
    {
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        storageCapacity: true,
        volumeLifecycleModes: ['x'],
        tokenRequests: [
          { audience: 'a', expirationSeconds: 5_000_000_000 },
          { audience: 'a', expirationSeconds: 1 },
        ],
      },
    },
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5000000000: may not specify a duration larger than 2^32 seconds',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.volumeLifecycleModes: Unsupported value: "x": supported values: "Persistent", "Ephemeral"',
    ],
  ],
]);

const long = 'a'.repeat(257);
table(csiNodes, [
  [
    'ids and keys',
    { spec: { drivers: [{ name: 'd', nodeID: long, topologyKeys: ['a', 'a'] }] } },
    [`spec.drivers[0].nodeID: Invalid value: "${long}": must be 256 characters or less`, 'spec.drivers[0]: Duplicate value: "a"'],
  ],
]);

const rule = { subjects: [{ kind: 'User', user: { name: 'u' } }] };
table(flowSchemas, [
  [
    'paths and verbs',
    {
      spec: {
        priorityLevelConfiguration: { name: 'p' },
        matchingPrecedence: 2,
        rules: [{ ...rule, nonResourceRules: [{ verbs: ['apply'], nonResourceURLs: ['', '/', '/a b', '//', '/a*', '/a/*'] }] }],
      },
    },
    [
      'spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["apply"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[3]: Invalid value: "//": must not contain double slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[4]: Invalid value: "/a*": wildcard can only do suffix matching',
    ],
  ],
  [
    'namespaces',
    {
      spec: {
        priorityLevelConfiguration: { name: 'p' },
        matchingPrecedence: 2,
        rules: [{ ...rule, resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*', 'a'] }] }],
      },
    },
    [`spec.rules[0].resourceRules[0].namespaces: Invalid value: ["*","a"]: if '*' is present, must not specify other namespaces`],
  ],
]);

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
const target = { type: 'AverageValue', averageValue: '1' };
table(horizontalPodAutoscalers, [
  [
    'policies that are none',
    { spec: { scaleTargetRef, maxReplicas: 2, behavior: { scaleDown: { policies: [] } } } },
    ['spec.behavior.scaleDown.policies: Required value: must specify at least one Policy'],
  ],
  [
    'scaling to zero',
    { spec: { scaleTargetRef, minReplicas: 0, maxReplicas: 2 } },
    [
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
  ],
  [
    'resources of containers',
    {
      spec: {
        scaleTargetRef,
        maxReplicas: 2,
        metrics: [{ type: 'ContainerResource', containerResource: { name: 'x', container: 'c', target } }],
      },
    },
    [
      'spec.metrics[0].containerResource.name: Invalid value: "x": must be a standard resource type or fully qualified',
      'spec.metrics[0].containerResource.name: Invalid value: "x": must be a standard resource for containers',
    ],
  ],
]);

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const rolling = (rollingUpdate: object) => ({
  spec: { selector: { matchLabels: { a: 'b' } }, template, updateStrategy: { type: 'RollingUpdate', rollingUpdate } },
});
const percent =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
table(daemonSets, [
  [
    'a surge that is no number is none',
    rolling({ maxUnavailable: 1, maxSurge: 'x' }),
    [`spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "x": ${percent}`],
  ],
  [
    'both none',
    rolling({ maxUnavailable: 'x', maxSurge: 0 }),
    [
      `spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "x": ${percent}`,
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ],
  ],
]);

describe('warnings of statefulsets', () => {
  it('of parts of bytes', () => {
    const claim = { metadata: { name: 'v' }, spec: { resources: { requests: { storage: '1.5' } } } };
    const set = { metadata, spec: { template, volumeClaimTemplates: [claim] } } as unknown as Parameters<
      NonNullable<typeof statefulSets.warnings>
    >[0];
    const detail = 'fractional byte value "1.5" is invalid, must be an integer';
    assert.deepEqual(statefulSets.warnings?.(set, undefined), [`spec.volumeClaimTemplates[0].resources.requests[storage]: ${detail}`]);
    assert.deepEqual(statefulSets.warnings?.(set, set), [`spec.volumeClaimTemplates[0].Spec.resources.requests[storage]: ${detail}`]);
  });
});
