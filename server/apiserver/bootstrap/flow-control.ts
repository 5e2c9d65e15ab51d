import type {
  FlowSchema,
  NonResourcePolicyRule,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
  Subject,
} from '../../../api/types/flowcontrol-v1.ts';

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' };

type Queues = readonly [queues: number, handSize: number, queueLengthLimit: number];

function limited(name: string, nominalConcurrencyShares: number, lendablePercent: number, queues?: Queues): PriorityLevelConfiguration {
  const limitResponse = queues
    ? { type: 'Queue', queuing: { queues: queues[0], handSize: queues[1], queueLengthLimit: queues[2] } }
    : { type: 'Reject' };
  return {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name, annotations },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares, lendablePercent, limitResponse } },
  };
}

/** The default PriorityLevelConfigurations: the mandatory `exempt` and `catch-all`, and the suggested ones. */
export const defaultPriorityLevels: readonly PriorityLevelConfiguration[] = [
  {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'exempt', annotations },
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  limited('catch-all', 5, 0),
  limited('system', 30, 33, [64, 6, 50]),
  limited('node-high', 40, 25, [64, 6, 50]),
  limited('leader-election', 10, 0, [16, 4, 50]),
  limited('workload-high', 40, 50, [128, 6, 50]),
  limited('workload-low', 100, 90, [128, 6, 50]),
  limited('global-default', 20, 50, [128, 6, 50]),
];

const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }));
const systemAccounts = (...names: string[]): Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } }));

interface Flow {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  readonly by?: 'ByUser' | 'ByNamespace';
  readonly subjects: Subject[];
  /** Default: everything. */
  readonly resourceRules?: ResourcePolicyRule[];
  readonly nonResourceRules?: NonResourcePolicyRule[];
}

const everyResource: ResourcePolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }];
const everyPath: NonResourcePolicyRule[] = [{ verbs: ['*'], nonResourceURLs: ['*'] }];

function resources(verbs: string[], apiGroup: string, names: string[], namespaces: string[], clusterScope = false): ResourcePolicyRule {
  return { verbs, apiGroups: [apiGroup], resources: names, namespaces, ...(clusterScope ? { clusterScope } : {}) };
}

function flowSchema({ name, level, precedence, by, subjects, resourceRules, nonResourceRules }: Flow): FlowSchema {
  const isAll = resourceRules === undefined && nonResourceRules === undefined;
  const byPath = isAll ? everyPath : nonResourceRules;
  const byResource = isAll ? everyResource : resourceRules;
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name, annotations },
    spec: {
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      matchingPrecedence: precedence,
      priorityLevelConfiguration: { name: level },
      rules: [{ subjects, ...(byResource ? { resourceRules: byResource } : {}), ...(byPath ? { nonResourceRules: byPath } : {}) }],
    },
  };
}

const leaseVerbs = ['get', 'create', 'update'];
const leases = (namespace: string) => resources(leaseVerbs, 'coordination.k8s.io', ['leases'], [namespace]);
const everyone = groups('system:unauthenticated', 'system:authenticated');

/** Whether a level or schema of that name is mandatory: it is in force even without an object. */
export function isMandatory(name: string): boolean {
  return name === 'exempt' || name === 'catch-all';
}

/** The default FlowSchemas. */
export const defaultFlowSchemas: readonly FlowSchema[] = [
  flowSchema({ name: 'exempt', level: 'exempt', precedence: 1, subjects: groups('system:masters') }),
  flowSchema({
    name: 'probes',
    level: 'exempt',
    precedence: 2,
    subjects: everyone,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  flowSchema({
    name: 'system-leader-election',
    level: 'leader-election',
    precedence: 100,
    by: 'ByUser',
    subjects: users('system:kube-controller-manager', 'system:kube-scheduler'),
    resourceRules: [leases('kube-system')],
  }),
  flowSchema({
    name: 'endpoint-controller',
    level: 'workload-high',
    precedence: 150,
    by: 'ByUser',
    subjects: [...users('system:kube-controller-manager'), ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller')],
    resourceRules: [resources(leaseVerbs, '', ['endpoints'], ['*'])],
  }),
  flowSchema({
    name: 'workload-leader-election',
    level: 'leader-election',
    precedence: 200,
    by: 'ByUser',
    subjects: systemAccounts('*'),
    resourceRules: [leases('*')],
  }),
  flowSchema({
    name: 'system-node-high',
    level: 'node-high',
    precedence: 400,
    by: 'ByUser',
    subjects: groups('system:nodes'),
    resourceRules: [
      resources(['*'], '', ['nodes', 'nodes/status'], ['*'], true),
      resources(['*'], 'coordination.k8s.io', ['leases'], ['*']),
    ],
  }),
  flowSchema({ name: 'system-nodes', level: 'system', precedence: 500, by: 'ByUser', subjects: groups('system:nodes') }),
  flowSchema({
    name: 'kube-controller-manager',
    level: 'workload-high',
    precedence: 800,
    by: 'ByNamespace',
    subjects: users('system:kube-controller-manager'),
  }),
  flowSchema({
    name: 'kube-scheduler',
    level: 'workload-high',
    precedence: 800,
    by: 'ByNamespace',
    subjects: users('system:kube-scheduler'),
  }),
  flowSchema({
    name: 'kube-system-service-accounts',
    level: 'workload-high',
    precedence: 900,
    by: 'ByNamespace',
    subjects: systemAccounts('*'),
  }),
  flowSchema({
    name: 'service-accounts',
    level: 'workload-low',
    precedence: 9000,
    by: 'ByUser',
    subjects: groups('system:serviceaccounts'),
  }),
  flowSchema({ name: 'global-default', level: 'global-default', precedence: 9900, by: 'ByUser', subjects: everyone }),
  flowSchema({ name: 'catch-all', level: 'catch-all', precedence: 10_000, by: 'ByUser', subjects: everyone }),
];
