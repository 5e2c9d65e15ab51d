import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fixedValue } from '../../api/base/watched-value.ts';
import type { PolicyRule } from '../../api/types/rbac-v1.ts';
import { controllerRoles } from '../apiserver/bootstrap/controller-roles.ts';
import { createControllers } from './controllers.ts';

/** The ClusterRoles system:controller:* of a kube-apiserver v1.32, by account. */
const recorded = new URL('testdata/controller-roles-v1.32.json', import.meta.url);

/** Accounts of controllers that upstream does not have, or has in no role of its own in v1.32. */
const withoutRecord = new Set([
  'cluster-dns-controller',
  'default-storage-class-controller',
  'kubelet-serving-approver',
  'local-volume-provisioner',
  // Behind a feature gate in v1.32.
  'resource-claim-controller',
  'service-cidrs-controller',
  'volumeattributesclass-protection-controller',
  // Runs as the controller manager itself.
  'service-account-token-controller',
]);

/**
 * Permissions beyond those of upstream's role. Upstream's controllers read through informers that act as
 * system:kube-controller-manager, which may list and watch everything; here each reads as itself.
 */
const own: Readonly<Record<string, readonly string[]>> = {
  'cronjob-controller': ['watch pods'],
  'disruption-controller': ['list pods', 'watch pods'],
  'endpoint-controller': ['watch endpoints'],
  'endpointslice-controller': ['watch endpointslices.discovery.k8s.io'],
  'endpointslicemirroring-controller': ['watch endpointslices.discovery.k8s.io'],
  'horizontal-pod-autoscaler': ['watch pods'],
  'legacy-service-account-token-cleaner': [
    ...['pods', 'secrets', 'serviceaccounts'].flatMap((resource) => [`list ${resource}`, `watch ${resource}`]),
  ],
  'namespace-controller': ['watch pods'],
  'node-controller': ['watch nodes', 'watch pods', 'list leases.coordination.k8s.io', 'watch leases.coordination.k8s.io'],
  'pod-garbage-collector': ['watch nodes'],
  // New in v1.36.
  'pvc-protection-controller': ['update persistentvolumeclaims/status'],
  'root-ca-cert-publisher': ['configmaps', 'namespaces'].flatMap((resource) => [`list ${resource}`, `watch ${resource}`]),
  'service-account-controller': ['serviceaccounts', 'namespaces'].flatMap((resource) => [`list ${resource}`, `watch ${resource}`]),
};

type Permission = { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string };

function permissionsOf(rules: readonly PolicyRule[]): Permission[] {
  return rules.flatMap(({ verbs, apiGroups = [], resources = [], resourceNames = [''] }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => resourceNames.map((name) => ({ verb, group, resource, name })))),
    ),
  );
}

function covers(role: readonly Permission[], { verb, group, resource, name }: Permission): boolean {
  const fits = (allowed: string, wanted: string) => allowed === '*' || allowed === wanted;
  return role.some(
    (one) => fits(one.verb, verb) && fits(one.group, group) && fits(one.resource, resource) && (one.name === '' || one.name === name),
  );
}

const textOf = ({ verb, group, resource, name }: Permission) =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${name}`}`;

describe('permissions of controllers', () => {
  const controllers = createControllers({
    rootCA: fixedValue(''),
    clusterDNSAddress: '10.96.0.10',
    clusterCIDR: '10.244.0.0/16',
    nodeCIDRMaskSize: 24,
    signSecretToken: async () => '',
  });
  const { roles } = controllerRoles(controllers);
  const upstream = async () => JSON.parse(await readFile(recorded, 'utf8')) as Readonly<Record<string, readonly PolicyRule[]>>;

  it('are no more than upstream gives, but for what each reads as itself', async () => {
    const theirs = await upstream();
    const more: Record<string, string[]> = {};
    for (const { metadata, rules = [] } of roles) {
      const account = (metadata.name ?? '').slice('system:controller:'.length);
      if (withoutRecord.has(account)) continue;
      assert.ok(theirs[account], `upstream has no role for ${account}`);
      const role = permissionsOf(theirs[account]);
      const beyond = permissionsOf(rules ?? []).filter((permission) => !covers(role, permission));
      if (beyond.length > 0) more[account] = [...new Set(beyond.map(textOf))].sort();
    }
    const expected = Object.fromEntries(Object.entries(own).map(([account, permissions]) => [account, [...permissions].sort()]));
    assert.deepEqual(more, expected);
  });
  it('are compared with a role of upstream wherever there is one', async () => {
    const theirs = await upstream();
    assert.deepEqual(
      [...withoutRecord].filter((account) => theirs[account] !== undefined),
      [],
    );
  });
});
