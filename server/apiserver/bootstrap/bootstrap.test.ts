import assert from 'node:assert/strict';
import { catalog } from '../../../api/resources/catalog.ts';
import { groupVersionPriorities } from '../served/group-priorities.ts';
import { defaultClusterRoles } from './cluster-roles.ts';
import { controllerRoles } from './controller-roles.ts';
import { defaultFlowSchemas, defaultPriorityLevels } from './flow-control.ts';
import { planBinding, planRole } from './reconcile-roles.ts';
import { defaultClusterRoleBindings, defaultRoleBindings, defaultRoles } from './role-bindings.ts';
import { clusterRole, clusterRoleBinding, group, rule, user } from './role-notation.ts';

describe('default roles', () => {
  it('are named once each', () => {
    for (const list of [defaultClusterRoles, defaultClusterRoleBindings]) {
      const names = list.map(({ metadata }) => metadata.name);
      assert.equal(new Set(names).size, names.length);
    }
  });
  it('are there for every binding', () => {
    const names = new Set(defaultClusterRoles.map(({ metadata }) => metadata.name));
    for (const { roleRef } of defaultClusterRoleBindings) assert.ok(names.has(roleRef.name), roleRef.name);
    for (const { roleRef, metadata } of defaultRoleBindings) {
      assert.ok(
        defaultRoles.some((role) => role.metadata.name === roleRef.name && role.metadata.namespace === metadata.namespace),
        roleRef.name,
      );
    }
  });
  it('speak of resources that exist', () => {
    const served = new Map<string, Set<string>>();
    for (const { group: apiGroup, names, subresources } of catalog) {
      const known = served.get(apiGroup) ?? new Set();
      served.set(apiGroup, known);
      for (const name of ['', ...Object.keys(subresources)]) known.add(name === '' ? names.plural : `${names.plural}/${name}`);
    }
    // Names that only authorization knows, and ones that upstream's roles have kept.
    const virtual =
      /^(signers|certificatesigningrequests\/(self)?nodeclient|nodes\/(configz|healthz|log|metrics|pods|stats)|deployments\/rollback|replicationcontrollers\/scale|serviceaccounts|leasecandidates|pods\/finalizers|\*)$/;
    for (const { metadata, rules } of defaultClusterRoles) {
      for (const { apiGroups = [], resources = [] } of rules ?? []) {
        for (const resource of resources) {
          const isKnown = apiGroups.some(
            (apiGroup) => apiGroup === '*' || apiGroup === 'extensions' || served.get(apiGroup)?.has(resource),
          );
          assert.ok(isKnown || virtual.test(resource), `${metadata.name}: ${resource} in ${apiGroups.join()}`);
        }
      }
    }
  });
  it('give controllers what they say they need', () => {
    const { roles, bindings } = controllerRoles([
      { account: 'a', rules: [rule('get', 'core', 'pods')] },
      { account: 'a', rules: [rule('list', 'core', 'pods')] },
    ]);
    assert.equal(roles.length, 1);
    assert.equal(roles[0]?.rules?.length, 2);
    assert.deepEqual(bindings[0]?.subjects, [{ kind: 'ServiceAccount', name: 'a', namespace: 'kube-system' }]);
  });
});

describe('reconciling roles', () => {
  const wanted = clusterRole('r', [rule('get list', 'core', 'pods')]);
  it('leaves a complete role alone', () => assert.equal(planRole(wanted, structuredClone(wanted)), undefined));
  it('leaves additions alone', () => assert.equal(planRole(wanted, clusterRole('r', [rule('*', '*', '*')])), undefined));
  it('gives back what was taken', () => {
    const planned = planRole(wanted, clusterRole('r', [rule('get', 'core', 'pods'), rule('get', 'core', 'secrets')]));
    assert.deepEqual(planned?.rules, [rule('get', 'core', 'pods'), rule('get', 'core', 'secrets'), rule('list', 'core', 'pods')]);
  });
  it('keeps out where it is told to', () => {
    const present = {
      ...clusterRole('r', []),
      metadata: { name: 'r', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    };
    assert.equal(planRole(wanted, present), undefined);
  });
  it('gives a binding its subjects back', () => {
    const planned = planBinding(clusterRoleBinding('r', group('a'), user('b')), clusterRoleBinding('r', user('b'), user('c')));
    assert.deepEqual(planned?.subjects, [user('b'), user('c'), group('a')]);
  });
});

describe('system objects', () => {
  it('flow schemas lead to priority levels that exist', () => {
    const names = new Set(defaultPriorityLevels.map(({ metadata }) => metadata.name));
    for (const { spec } of defaultFlowSchemas) assert.ok(names.has(spec?.priorityLevelConfiguration.name ?? ''));
  });
  it('every built-in group version has a rank', () => {
    const ranked = new Set(groupVersionPriorities.map((entry) => `${entry.group}/${entry.version}`));
    for (const { group: apiGroup, version } of catalog) assert.ok(ranked.has(`${apiGroup}/${version}`), `${apiGroup}/${version}`);
    assert.equal(new Set(catalog.map((definition) => `${definition.group}/${definition.version}`)).size, ranked.size);
  });
});
