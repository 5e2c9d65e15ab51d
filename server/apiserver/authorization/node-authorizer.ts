import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Lister } from '../../../api/client/informer.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import { nodeUserPrefix, systemNodes } from '../authentication/well-known.ts';
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from './authorizer.ts';
import { podReferences } from './pod-references.ts';
import { type Rule, ruleAllows } from './rule-evaluation.ts';

/** What tells which objects a node has to do with. */
export interface NodeSources {
  /** Pods, with an index `node` of their spec.nodeName. */
  readonly pods: Lister<Pod>;
  readonly persistentVolumeClaims: Lister<PersistentVolumeClaim>;
  readonly persistentVolumes: Lister<PersistentVolume>;
}

export interface NodeAuthorizerOptions {
  /** Asked for whenever a node asks, and not before: a control plane without nodes need not follow its pods. */
  readonly sources: () => NodeSources;
  /** What every node may do besides (the rules of the ClusterRole system:node). */
  readonly rules: readonly Rule[];
}

/** Name of the index of pods by node that the authorizer reads. */
export const podsByNode = 'node';

export function nodeNameOfPod(pod: DeepReadonly<Pod>): readonly string[] {
  return pod.spec?.nodeName ? [pod.spec.nodeName] : [];
}

const none: AuthorizationDecision = { decision: 'NoOpinion', reason: '' };
const allow: AuthorizationDecision = { decision: 'Allow', reason: '' };
const getting: ReadonlySet<string> = new Set(['get']);
const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/**
 * What kubelets may do (KEP-279): read secrets, configmaps, claims and volumes only of pods that are on their node, make
 * tokens only for service accounts of such pods, keep only their own lease; all else by fixed rules.
 */
export function createNodeAuthorizer(options: NodeAuthorizerOptions): Authorizer {
  return {
    authorize(asked) {
      const { user } = asked;
      if (!user.groups.includes(systemNodes)) return none;
      if (!user.name.startsWith(nodeUserPrefix)) return { decision: 'NoOpinion', reason: `unknown node for user ${quote(user.name)}` };
      const nodeName = user.name.slice(nodeUserPrefix.length);
      const sources = options.sources();
      if (asked.isResourceRequest) {
        const special = decideSpecial(sources, asked, nodeName);
        if (special) return special;
      }
      return options.rules.some((rule) => ruleAllows(rule, asked)) ? allow : none;
    },
  };
}

function decideSpecial(sources: NodeSources, asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision | undefined {
  const id = asked.apiGroup === '' ? asked.resource : `${asked.resource}.${asked.apiGroup}`;
  switch (id) {
    case 'secrets':
    case 'configmaps':
      return decideRead(sources, asked, nodeName, reading);
    case 'persistentvolumeclaims':
      return asked.subresource === 'status' && (asked.verb === 'update' || asked.verb === 'patch')
        ? decideReference(sources, asked, nodeName)
        : decideRead(sources, asked, nodeName, getting);
    case 'persistentvolumes':
    case 'resourceclaims.resource.k8s.io':
      return decideRead(sources, asked, nodeName, getting);
    case 'serviceaccounts':
      if (asked.subresource !== 'token') return { decision: 'NoOpinion', reason: 'can only create tokens for individual service accounts' };
      return asked.verb === 'create'
        ? decideReference(sources, asked, nodeName)
        : { decision: 'NoOpinion', reason: 'can only create tokens for individual service accounts' };
    case 'leases.coordination.k8s.io':
      return decideOwn(asked, nodeName, 'kube-node-lease', 'lease');
    case 'csinodes.storage.k8s.io':
      return decideOwn(asked, nodeName, '', 'CSINode');
    case 'nodes':
      return decideNode(asked, nodeName);
    case 'pods':
      return decidePods(sources, asked, nodeName);
    default:
      return undefined;
  }
}

function decideRead(
  sources: NodeSources,
  asked: AuthorizationAttributes,
  nodeName: string,
  verbs: ReadonlySet<string>,
): AuthorizationDecision {
  if (!verbs.has(asked.verb)) return { decision: 'NoOpinion', reason: 'can only read resources of this type' };
  if (asked.subresource !== '') return { decision: 'NoOpinion', reason: 'cannot read subresource' };
  return decideReference(sources, asked, nodeName);
}

function decideReference(
  { pods, persistentVolumeClaims, persistentVolumes }: NodeSources,
  asked: AuthorizationAttributes,
  nodeName: string,
): AuthorizationDecision {
  if (asked.name === '') return { decision: 'NoOpinion', reason: 'No Object name found' };
  for (const pod of pods.byIndex(podsByNode, nodeName)) {
    const references = podReferences(pod, { persistentVolumeClaims, persistentVolumes });
    if (references.has(`${asked.resource}/${asked.namespace}/${asked.name}`)) return allow;
  }
  return { decision: 'NoOpinion', reason: `no relationship found between node '${nodeName}' and this object` };
}

function decideOwn(asked: AuthorizationAttributes, nodeName: string, namespace: string, what: string): AuthorizationDecision | undefined {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(asked.verb)) {
    return { decision: 'NoOpinion', reason: `can only get, create, update, patch, or delete a ${what === 'lease' ? 'node lease' : what}` };
  }
  if (namespace !== '' && asked.namespace !== namespace)
    return { decision: 'NoOpinion', reason: `can only access leases in the "${namespace}" system namespace` };
  // A name that is only in the body of a create is checked by admission.
  if (asked.verb !== 'create' && asked.name !== nodeName)
    return {
      decision: 'NoOpinion',
      reason: `can only access ${what === 'lease' ? 'node lease' : what} with the same name as the requesting node`,
    };
  return allow;
}

/** A node gets itself only; lists and watches pass, and writes are narrowed further by admission. */
function decideNode(asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision | undefined {
  if (!reading.has(asked.verb) || (asked.verb !== 'get' && asked.name === '')) return undefined;
  return asked.name === nodeName
    ? allow
    : { decision: 'NoOpinion', reason: `node '${nodeName}' cannot read '${asked.name}', only its own Node object` };
}

function decidePods({ pods }: NodeSources, asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision | undefined {
  if (asked.verb !== 'get' || asked.subresource !== '') return undefined;
  const pod = pods.find({ namespace: asked.namespace, name: asked.name });
  return pod?.spec?.nodeName === nodeName
    ? allow
    : { decision: 'NoOpinion', reason: `no relationship found between node '${nodeName}' and this object` };
}
