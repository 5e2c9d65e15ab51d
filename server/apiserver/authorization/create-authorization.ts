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
import { createEscalationGuard, type EscalationGuard } from './escalation.ts';
import { createNodeAuthorizer, nodeNameOfPod, type NodeSources, podsByNode } from './node-authorizer.ts';
import { createRBACAuthorizer, createRuleResolver, type RBACListers, type RuleResolver } from './rbac-authorizer.ts';
import type { Rule } from './rule-evaluation.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from './union-authorizer.ts';

export interface Authorization {
  readonly authorizer: Authorizer;
  readonly resolver: RuleResolver;
  readonly escalation: EscalationGuard;
  readonly listers: RBACListers;
}

/** Node and RBAC authorization (upstream's `--authorization-mode=Node,RBAC`), fed by informers. */
export function createAuthorization(informers: InformerFactory, nodeRules: readonly Rule[]): Authorization {
  const listers: RBACListers = {
    roles: informers.informer(roles).lister,
    roleBindings: informers.informer(roleBindings).lister,
    clusterRoles: informers.informer(clusterRoles).lister,
    clusterRoleBindings: informers.informer(clusterRoleBindings).lister,
  };
  let nodeSources: NodeSources | undefined;
  const nodes = createNodeAuthorizer({ sources: () => (nodeSources ??= followNodeSources(informers)), rules: nodeRules });
  const authorizer = unionAuthorizer([privilegedGroupAuthorizer, nodes, createRBACAuthorizer(listers)]);
  const resolver = createRuleResolver(listers);
  return { authorizer, resolver, escalation: createEscalationGuard(resolver, authorizer), listers };
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
