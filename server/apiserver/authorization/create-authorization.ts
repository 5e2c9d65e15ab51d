import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { roleBindings } from '../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import { volumeAttachments } from '../../../api/resources/storage/v1/volume-attachment.ts';
import type { Authorizer } from './authorizer.ts';
import { type AuthorizerChain, type ChainDependencies, type ConfiguredAuthorizer, createAuthorizerChain } from './authorizer-chain.ts';
import { createEscalationGuard, type EscalationGuard } from './escalation.ts';
import { createNodeAuthorizer, nodeNameOfPod, type NodeSources, podsByNode } from './node-authorizer.ts';
import { createRBACAuthorizer, createRuleResolver, type RBACListers } from './rbac-authorizer.ts';
import type { Rule } from './rule-evaluation.ts';

export interface Authorization {
  readonly authorizer: Authorizer;
  readonly rulesFor: AuthorizerChain['rulesFor'];
  readonly escalation: EscalationGuard;
  readonly listers: RBACListers;
  /** Takes other authorizers, for questions from now on. Throws for types besides Webhook that were not there at the start. */
  replace(configured: readonly ConfiguredAuthorizer[]): void;
}

interface AuthorizationDependencies extends Pick<ChainDependencies, 'clock' | 'random' | 'logger' | 'metrics' | 'conditionWork'> {
  readonly informers: InformerFactory;
  readonly nodeRules: readonly Rule[];
}

/** Node and RBAC authorization, as with `--authorization-mode=Node,RBAC`: the default of a server without flags. */
export const defaultAuthorizers: readonly ConfiguredAuthorizer[] = [
  { type: 'Node', name: 'node' },
  { type: 'RBAC', name: 'rbac' },
];

/** The configured authorizers, those of the server itself fed by informers. */
export function createAuthorization(configured: readonly ConfiguredAuthorizer[], dependencies: AuthorizationDependencies): Authorization {
  const { informers, nodeRules } = dependencies;
  const listers: RBACListers = {
    roles: informers.informer(roles).lister,
    roleBindings: informers.informer(roleBindings).lister,
    clusterRoles: informers.informer(clusterRoles).lister,
    clusterRoleBindings: informers.informer(clusterRoleBindings).lister,
  };
  let nodeSources: NodeSources | undefined;
  const rbacRules = createRuleResolver(listers);
  const parts: ChainDependencies = {
    ...dependencies,
    node: createNodeAuthorizer({ sources: () => (nodeSources ??= followNodeSources(informers)), rules: nodeRules }),
    rbac: createRBACAuthorizer(listers),
    rbacRules,
  };
  const startTypes = new Set(configured.map(({ type }) => type));
  let chain = createAuthorizerChain(configured, parts);
  const authorizer: Authorizer = { authorize: (attributes, signal) => chain.authorizer.authorize(attributes, signal) };
  return {
    authorizer,
    rulesFor: (user, namespace) => chain.rulesFor(user, namespace),
    escalation: createEscalationGuard(rbacRules, authorizer),
    listers,
    replace(changed) {
      const added = changed.find(({ type }) => type !== 'Webhook' && !startTypes.has(type));
      if (added && (added.type === 'Node' || added.type === 'RBAC'))
        throw new Error(`authorizer type ${added.type} is not allowed if it was not enabled at initial server startup`);
      chain = createAuthorizerChain(changed, parts);
    },
  };
}

function followNodeSources(informers: InformerFactory): NodeSources {
  const podInformer = informers.informer(pods);
  podInformer.addIndex(podsByNode, nodeNameOfPod);
  return {
    pods: podInformer.lister,
    persistentVolumeClaims: informers.informer(persistentVolumeClaims).lister,
    persistentVolumes: informers.informer(persistentVolumes).lister,
    volumeAttachments: informers.informer(volumeAttachments).lister,
    resourceSlices: informers.informer(resourceSlices).lister,
  };
}
