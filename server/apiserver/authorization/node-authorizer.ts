import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { ResourceSlice } from '../../../api/types/resource-v1.ts';
import type { VolumeAttachment } from '../../../api/types/storage-v1.ts';
import { nodeNameOfUser } from '../authentication/well-known.ts';
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from './authorizer.ts';
import { podReferences } from './pod-references.ts';
import { type Rule, ruleAllows } from './rule-evaluation.ts';

/** Listers of the objects that relate objects to nodes. */
export interface NodeSources {
  /** Pods, with an index `node` of their spec.nodeName. */
  readonly pods: Lister<Pod>;
  readonly persistentVolumeClaims: Lister<PersistentVolumeClaim>;
  readonly persistentVolumes: Lister<PersistentVolume>;
  readonly volumeAttachments: Lister<VolumeAttachment>;
  readonly resourceSlices: Lister<ResourceSlice>;
}

export interface NodeAuthorizerOptions {
  /** Asked for whenever a node asks, and not before: a control plane without nodes need not follow its pods. */
  readonly sources: () => NodeSources;
  /** Further permissions of every node (the rules of the ClusterRole system:node). */
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
const writing: ReadonlySet<string> = new Set(['update', 'patch']);
const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/**
 * Authorizes kubelets (KEP-279): they may read secrets, configmaps, claims and volumes only of pods that are on their node,
 * attachments only to their node, make tokens only for service accounts of such pods, keep only their own lease; all else by
 * fixed rules.
 */
export function createNodeAuthorizer(options: NodeAuthorizerOptions): Authorizer {
  return {
    authorize(asked) {
      const { user } = asked;
      const nodeName = nodeNameOfUser(user);
      if (nodeName === undefined) return none;
      if (nodeName === '') return { decision: 'NoOpinion', reason: `unknown node for user ${quote(user.name)}` };
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
    case 'volumeattachments.storage.k8s.io':
      return decideAttachment(sources, asked, nodeName);
    case 'serviceaccounts':
      if (asked.verb !== 'create' || asked.name === '')
        return { decision: 'NoOpinion', reason: 'can only create tokens for individual service accounts' };
      if (asked.subresource !== 'token') return { decision: 'NoOpinion', reason: 'can only create token subresource of serviceaccount' };
      return decideReference(sources, asked, nodeName);
    case 'leases.coordination.k8s.io':
      return decideOwn(asked, nodeName, 'kube-node-lease', 'lease');
    case 'csinodes.storage.k8s.io':
      return decideOwn(asked, nodeName, '', 'CSINode');
    case 'resourceslices.resource.k8s.io':
      return decideSlices(sources, asked, nodeName);
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
  const refused = refuseRead(asked, verbs);
  if (refused) return refused;
  if (verbs === reading && asked.namespace === '') return { decision: 'NoOpinion', reason: 'can only read namespaced object of this type' };
  return decideReference(sources, asked, nodeName);
}

function refuseRead({ verb, subresource }: AuthorizationAttributes, verbs: ReadonlySet<string>): AuthorizationDecision | undefined {
  const isOne = verbs === getting;
  if (!verbs.has(verb)) return { decision: 'NoOpinion', reason: `can only ${isOne ? 'get individual' : 'read'} resources of this type` };
  if (subresource !== '') return { decision: 'NoOpinion', reason: `cannot ${isOne ? 'get' : 'read'} subresource` };
  return undefined;
}

/** A node may read the VolumeAttachments of itself. */
function decideAttachment({ volumeAttachments }: NodeSources, asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision {
  const refused = refuseRead(asked, getting);
  if (refused) return refused;
  if (asked.name === '') return noName;
  const attachment = volumeAttachments.find({ namespace: '', name: asked.name });
  return attachment?.spec.nodeName === nodeName ? allow : unrelated(nodeName);
}

const noName: AuthorizationDecision = { decision: 'NoOpinion', reason: 'No Object name found' };

function unrelated(nodeName: string): AuthorizationDecision {
  return { decision: 'NoOpinion', reason: `no relationship found between node '${nodeName}' and this object` };
}

function decideReference(
  { pods, persistentVolumeClaims, persistentVolumes }: NodeSources,
  asked: AuthorizationAttributes,
  nodeName: string,
): AuthorizationDecision {
  if (asked.name === '') return noName;
  for (const pod of pods.byIndex(podsByNode, nodeName)) {
    const references = podReferences(pod, { persistentVolumeClaims, persistentVolumes });
    if (references.has(`${asked.resource}/${asked.namespace}/${asked.name}`)) return allow;
  }
  return unrelated(nodeName);
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

/** A node reads itself only; which it writes is for admission to say. */
function decideNode(asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision {
  if (asked.subresource === 'status') return allowIf(writing.has(asked.verb));
  if (asked.subresource !== '' || !reading.has(asked.verb))
    return allowIf(asked.subresource === '' && (asked.verb === 'create' || writing.has(asked.verb)));
  if (asked.name === nodeName) return allow;
  const whom = asked.name === '' ? 'all nodes' : `'${asked.name}'`;
  return { decision: 'NoOpinion', reason: `node '${nodeName}' cannot read ${whom}, only its own Node object` };
}

/** A node may read only its own Pods. Admission decides which ones it may write, create and evict. */
function decidePods(sources: NodeSources, asked: AuthorizationAttributes, nodeName: string): AuthorizationDecision {
  const { verb, subresource, name, fields } = asked;
  if (subresource === 'status') return allowIf(writing.has(verb));
  if (subresource === 'eviction') return allowIf(verb === 'create');
  if (subresource !== '') return none;
  if (!reading.has(verb)) return allowIf(verb === 'create' || verb === 'delete');
  if (verb !== 'get' && fields?.requiredValue('spec.nodeName') === nodeName) return allow;
  if (verb !== 'get' && name === '') return { decision: 'NoOpinion', reason: 'can only list/watch pods with spec.nodeName field selector' };
  const pod = sources.pods.find({ namespace: asked.namespace, name });
  return pod?.spec?.nodeName === nodeName ? allow : unrelated(nodeName);
}

/** ResourceSlices are the drivers' that run on the node: it has to do with those that name it; which it creates is for admission to say. */
function decideSlices(
  { resourceSlices }: NodeSources,
  { verb, subresource, name, fields }: AuthorizationAttributes,
  nodeName: string,
): AuthorizationDecision {
  if (subresource !== '') return { decision: 'NoOpinion', reason: 'cannot authorize ResourceSlice subresources' };
  switch (verb) {
    case 'create':
      return allow;
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      if (name === '') return noName;
      return resourceSlices.find({ namespace: '', name })?.spec.nodeName === nodeName ? allow : unrelated(nodeName);
    case 'list':
    case 'watch':
    case 'deletecollection':
      if (fields?.requiredValue('spec.nodeName') === nodeName) return allow;
      return { decision: 'NoOpinion', reason: 'can only list/watch/deletecollection resourceslices with nodeName field selector' };
    default:
      return {
        decision: 'NoOpinion',
        reason:
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      };
  }
}

function allowIf(holds: boolean): AuthorizationDecision {
  return holds ? allow : none;
}
