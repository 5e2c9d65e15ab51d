import type { Client } from '../../../api/client/client.ts';
import { validatingAdmissionPolicyBindings } from '../../../api/resources/admissionregistration/v1/validating-admission-policy-binding.ts';
import { validatingWebhookConfigurations } from '../../../api/resources/admissionregistration/v1/validating-webhook-configuration.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { roleBindings } from '../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import type { Secret } from '../../../api/types/core-v1.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ClusterFacts } from './check-facts.ts';

/** Reads the objects that section 5 is about, as the administrator. */
export async function gatherCluster(client: Client, nowMs: number): Promise<ClusterFacts> {
  const ofType = (type: string) => client(secrets).list({ fieldSelector: `type=${type}` });
  const [tokens, bootstrap, bindings, webhooks] = await Promise.all([
    ofType('kubernetes.io/service-account-token'),
    ofType('bootstrap.kubernetes.io/token'),
    client(validatingAdmissionPolicyBindings).list(),
    client(validatingWebhookConfigurations).list(),
  ]);
  return {
    clusterRoles: (await client(clusterRoles).list()).items,
    roles: (await client(roles).list()).items,
    clusterRoleBindings: (await client(clusterRoleBindings).list()).items,
    roleBindings: (await client(roleBindings).list()).items,
    namespaces: (await client(namespaces).list()).items,
    pods: (await client(pods).list()).items,
    serviceAccounts: (await client(serviceAccounts).list()).items,
    networkPolicies: (await client(networkPolicies).list()).items,
    tokenSecrets: tokens.items.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`),
    bootstrapTokens: bootstrap.items.filter((secret) => !hasExpired(secret, nowMs)).map(({ metadata: { name = '' } }) => name),
    policyControls: [
      ...bindings.items.map(({ metadata: { name } }) => `ValidatingAdmissionPolicyBinding ${name}`),
      ...webhooks.items.map(({ metadata: { name } }) => `ValidatingWebhookConfiguration ${name}`),
    ],
  };
}

function hasExpired({ data }: DeepReadonly<Secret>, nowMs: number): boolean {
  const expiration = data?.['expiration'];
  return expiration !== undefined && Date.parse(Buffer.from(expiration, 'base64').toString()) < nowMs;
}
