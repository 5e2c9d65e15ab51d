import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { PolicyRule, Subject } from '../../../../api/types/rbac-v1.ts';
import type { CheckFacts, ClusterFacts } from '../check-facts.ts';
import { type CheckItem, manual, notJudged, pass, type Verdict, warn } from '../check-item.ts';

type Rule = DeepReadonly<PolicyRule>;

/** A subject that has a role, other than those that the cluster is born with. */
interface Grant {
  /** e.g. `ServiceAccount default/ci`. */
  readonly subject: string;
  /** e.g. `ClusterRole admin in namespace web`. */
  readonly role: string;
  readonly rules: readonly Rule[];
}

const ofCluster =
  (judge: (cluster: ClusterFacts) => Verdict): CheckItem['judge'] =>
  ({ cluster }: CheckFacts) =>
    cluster
      ? judge(cluster)
      : notJudged('the objects of the cluster could not be read', 'start kubets and check again, where its control plane is');

const bootstrapping = 'kubernetes.io/bootstrapping';

/** All grants of a cluster but those of its components: the bindings that are made at every start. */
function grantsOf({ clusterRoles, roles, clusterRoleBindings, roleBindings }: ClusterFacts): Grant[] {
  const clusterRules = new Map(clusterRoles.map(({ metadata, rules }) => [metadata.name, rules ?? []]));
  const rules = new Map(roles.map((role) => [`${role.metadata.namespace}/${role.metadata.name}`, role.rules ?? []]));
  const isOwn = ({ labels, name = '' }: { readonly labels?: Readonly<Record<string, string>>; readonly name?: string }) =>
    labels?.[bootstrapping] !== undefined || name.startsWith('kubets:') || name.startsWith('system:');
  return [
    ...clusterRoleBindings
      .filter(({ metadata }) => !isOwn(metadata))
      .flatMap(({ subjects = [], roleRef }) =>
        subjects.map((subject) => ({
          subject: describe(subject),
          role: `ClusterRole ${roleRef.name}`,
          rules: clusterRules.get(roleRef.name) ?? [],
        })),
      ),
    ...roleBindings
      .filter(({ metadata }) => !isOwn(metadata))
      .flatMap(({ metadata: { namespace }, subjects = [], roleRef }) =>
        subjects.map((subject) => ({
          subject: describe(subject),
          role: `${roleRef.kind} ${roleRef.name} in namespace ${namespace}`,
          rules: (roleRef.kind === 'ClusterRole' ? clusterRules.get(roleRef.name) : rules.get(`${namespace}/${roleRef.name}`)) ?? [],
        })),
      ),
  ];
}

function describe({ kind, name, namespace }: DeepReadonly<Subject>): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

interface Asked {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export function allows({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }: Rule, asked: Asked): boolean {
  const has = (list: readonly string[], wanted: readonly string[]) => list.includes('*') || wanted.some((one) => list.includes(one));
  const hasResource = asked.resources.some(
    (one) =>
      resources.includes('*') ||
      resources.includes(one) ||
      (one.includes('/') && resources.includes(`*/${one.slice(one.indexOf('/') + 1)}`)),
  );
  return resourceNames.length === 0 && has(apiGroups, [asked.group]) && hasResource && has(verbs, asked.verbs);
}

const maxShown = 10;

function mayDo(what: string, advice: string, asked: readonly Asked[]): CheckItem['judge'] {
  return ofCluster((cluster) => {
    const found = grantsOf(cluster).filter(({ rules }) => rules.some((rule) => asked.some((one) => allows(rule, one))));
    if (found.length === 0) return pass(`nobody but the components of the cluster and members of system:masters may ${what}`);
    return warn(`${found.length} grants let somebody ${what}`, advice, {
      evidence: listed(found.map(({ subject, role }) => `${subject}: ${role}`)),
    });
  });
}

export function listed(lines: readonly string[]): string[] {
  const unique = [...new Set(lines)];
  return unique.length > maxShown ? [...unique.slice(0, maxShown), `and ${unique.length - maxShown} more`] : unique;
}

const core = (resources: readonly string[], verbs: readonly string[]): Asked => ({ group: '', resources, verbs });

/** Section 5.1. */
export const access: readonly CheckItem[] = [
  {
    ...{ id: '5.1.1', title: 'cluster-admin is given to those alone who need it' },
    judge: ofCluster((cluster) => {
      const found = grantsOf(cluster).filter(({ role }) => role === 'ClusterRole cluster-admin');
      return found.length === 0
        ? pass('only members of system:masters have it, as from the beginning')
        : warn('others than system:masters have it', 'bind narrower roles', { evidence: listed(found.map(({ subject }) => subject)) });
    }),
  },
  {
    ...{ id: '5.1.2', title: 'Few may read Secrets' },
    judge: mayDo('read Secrets', 'take get, list and watch of secrets out of these roles', [core(['secrets'], ['get', 'list', 'watch'])]),
  },
  {
    ...{ id: '5.1.3', title: 'Roles do without wildcards' },
    judge: ofCluster(({ clusterRoles, roles }) => {
      const own = [...clusterRoles, ...roles].filter(({ metadata }) => metadata.labels?.[bootstrapping] === undefined);
      const hasWildcard = ({ apiGroups = [], resources = [], verbs = [] }: Rule) =>
        [apiGroups, resources, verbs].some((list) => list.includes('*'));
      const found = own.filter(({ rules }) => rules?.some(hasWildcard));
      const names = found.map(({ metadata: { namespace, name } }) => (namespace ? `Role ${namespace}/${name}` : `ClusterRole ${name}`));
      return found.length === 0
        ? pass('no role but those of the cluster itself has one')
        : warn('roles have wildcards: they allow what comes in later, too', 'name groups, resources and verbs', {
            evidence: listed(names),
          });
    }),
  },
  {
    ...{ id: '5.1.4', title: 'Few may create Pods' },
    judge: mayDo('create Pods', 'who creates Pods in a namespace has all its Secrets and ServiceAccounts', [core(['pods'], ['create'])]),
  },
  {
    ...{ id: '5.1.5', title: 'ServiceAccounts named default have no rights' },
    judge: ofCluster((cluster) => {
      const found = grantsOf(cluster).filter(({ subject }) => /^ServiceAccount [^/]+\/default$/.test(subject));
      return found.length === 0
        ? pass('no role is bound to one')
        : warn('roles are bound to ServiceAccounts named default', 'make a ServiceAccount for each workload', {
            evidence: listed(found.map(({ subject, role }) => `${subject}: ${role}`)),
          });
    }),
  },
  {
    ...{ id: '5.1.6', title: 'Tokens are mounted into Pods that need them alone' },
    judge: ofCluster(({ pods, serviceAccounts }) => {
      const off = new Set(
        serviceAccounts
          .filter(({ automountServiceAccountToken }) => automountServiceAccountToken === false)
          .map(({ metadata: { namespace, name } }) => `${namespace}/${name}`),
      );
      const mounts = pods.filter(({ metadata, spec }) => {
        const own = spec?.automountServiceAccountToken;
        return own ?? !off.has(`${metadata.namespace}/${spec?.serviceAccountName ?? 'default'}`);
      });
      return mounts.length === 0
        ? pass('no Pod has a token mounted')
        : manual(
            `${mounts.length} of ${pods.length} Pods have a token mounted`,
            'set automountServiceAccountToken: false where the API is not called',
            {
              evidence: listed(mounts.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)),
            },
          );
    }),
  },
  {
    ...{ id: '5.1.7', title: 'The group system:masters is not used' },
    judge: () =>
      manual(
        'its members are asked for no right, and a certificate with it cannot be revoked; admin.kubeconfig of kubets is one',
        'keep admin.kubeconfig for emergencies, and give administrators users with cluster-admin, by OIDC for instance',
      ),
  },
  {
    ...{ id: '5.1.8', title: 'Few may bind, escalate and impersonate' },
    judge: mayDo('bind or escalate roles, or impersonate others', 'who may has all rights of the cluster', [
      { group: 'rbac.authorization.k8s.io', resources: ['roles', 'clusterroles'], verbs: ['bind', 'escalate'] },
      core(['users', 'groups', 'serviceaccounts'], ['impersonate']),
    ]),
  },
  {
    ...{ id: '5.1.9', title: 'Few may create persistent volumes' },
    judge: mayDo('create persistent volumes', 'with a hostPath volume they have every file of a node', [
      core(['persistentvolumes'], ['create']),
    ]),
  },
  {
    ...{ id: '5.1.10', title: 'Few may reach kubelets through the API server (nodes/proxy)' },
    judge: mayDo('reach kubelets through nodes/proxy', 'who may runs commands in all Pods, and no admission or audit sees it', [
      core(['nodes/proxy'], ['get', 'create']),
    ]),
  },
  {
    ...{ id: '5.1.11', title: 'Few may approve requests for certificates' },
    judge: mayDo('approve requests for certificates', 'who may becomes any user by a certificate', [
      { group: 'certificates.k8s.io', resources: ['certificatesigningrequests/approval'], verbs: ['update', 'patch'] },
    ]),
  },
  {
    ...{ id: '5.1.12', title: 'Few may change webhook configurations' },
    judge: mayDo('change webhook configurations', 'who may reads and changes what others send', [
      {
        group: 'admissionregistration.k8s.io',
        resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
        verbs: ['create', 'update', 'patch', 'delete'],
      },
    ]),
  },
  {
    ...{ id: '5.1.13', title: 'Few may make tokens of ServiceAccounts' },
    judge: mayDo('make tokens of ServiceAccounts', 'who may becomes each of them', [core(['serviceaccounts/token'], ['create'])]),
  },
];
