import assert from 'node:assert/strict';
import type { PolicyRule, Subject } from '../../../api/types/rbac-v1.ts';
import type { AuthorizationAttributes } from './authorizer.ts';
import { ruleAllows, subjectIncludes, uncoveredRules } from './rule-evaluation.ts';

const user = { name: 'u', groups: ['g'] };

function ask(text: string): AuthorizationAttributes {
  const [verb = '', target = ''] = text.split(' ');
  const base = { user, verb, namespace: 'ns', apiVersion: 'v1' };
  if (target.startsWith('/'))
    return { ...base, isResourceRequest: false, apiGroup: '', resource: '', subresource: '', name: '', path: target };
  const [, group = '', resource = '', subresource = '', name = ''] = /^(?:([^:]*):)?([^/#]+)(?:\/([^#]+))?(?:#(.*))?$/.exec(target) ?? [];
  return { ...base, isResourceRequest: true, apiGroup: group, resource, subresource, name, path: '' };
}

const rule = (verbs: string, groups: string, resources: string, names?: string): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
  resources: resources.split(' '),
  ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
});
const urls = (verbs: string, paths: string): PolicyRule => ({ verbs: verbs.split(' '), nonResourceURLs: paths.split(' ') });

describe('ruleAllows', () => {
  const table: [PolicyRule, string, boolean][] = [
    [rule('get list', 'core', 'pods'), 'get pods', true],
    [rule('get list', 'core', 'pods'), 'watch pods', false],
    [rule('get', 'core', 'pods'), 'get apps:pods', false],
    [rule('get', 'core', 'pods'), 'get pods/log', false],
    [rule('get', 'core', 'pods/log'), 'get pods/log', true],
    [rule('get', 'core', 'pods/log'), 'get pods', false],
    [rule('get', 'core', '*'), 'get pods/log', true],
    [rule('update', '*', '*/scale'), 'update apps:deployments/scale', true],
    [rule('update', '*', '*/scale'), 'update apps:deployments', false],
    [rule('*', '*', '*'), 'escalate rbac.authorization.k8s.io:roles', true],
    [rule('*', '*', '*'), 'get /healthz', false],
    [rule('get', 'core', 'configmaps', 'a b'), 'get configmaps#b', true],
    [rule('get', 'core', 'configmaps', 'a b'), 'get configmaps#c', false],
    [rule('list', 'core', 'configmaps', 'a b'), 'list configmaps', false],
    [urls('get', '/api /api/*'), 'get /api', true],
    [urls('get', '/api /api/*'), 'get /api/v1', true],
    [urls('get', '/api/*'), 'get /api', false],
    [urls('get', '/a*b'), 'get /aXb', false],
    [urls('*', '*'), 'post /anything', true],
    [urls('get', '/api'), 'get pods', false],
  ];
  for (const [candidate, text, expected] of table) {
    it(`${JSON.stringify(candidate)} ${expected ? 'allows' : 'does not allow'} ${text}`, () =>
      assert.equal(ruleAllows(candidate, ask(text)), expected));
  }
});

describe('subjectIncludes', () => {
  const account = { name: 'system:serviceaccount:ns:sa', groups: ['system:serviceaccounts'] };
  const table: [Subject, typeof user, string, boolean][] = [
    [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }, user, '', true],
    [{ kind: 'User', name: 'g', apiGroup: 'rbac.authorization.k8s.io' }, user, '', false],
    [{ kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' }, user, '', true],
    [{ kind: 'ServiceAccount', name: 'sa', namespace: 'ns' }, account, '', true],
    [{ kind: 'ServiceAccount', name: 'sa', namespace: 'other' }, account, 'ns', false],
    [{ kind: 'ServiceAccount', name: 'sa' }, account, 'ns', true],
    [{ kind: 'ServiceAccount', name: 'sa' }, account, '', false],
    [{ kind: 'ServiceAccount', name: 'u', namespace: 'ns' }, user, 'ns', false],
  ];
  for (const [subject, who, namespace, expected] of table) {
    it(`${JSON.stringify(subject)} in ${namespace} ${expected ? 'is' : 'is not'} ${who.name}`, () =>
      assert.equal(subjectIncludes(subject, who, namespace), expected));
  }
});

describe('uncoveredRules', () => {
  const table: [string, PolicyRule[], PolicyRule[], PolicyRule[]][] = [
    ['the same', [rule('get', 'core', 'pods')], [rule('get', 'core', 'pods')], []],
    ['covered by several', [rule('get', 'core', 'pods'), rule('list', 'core', 'pods')], [rule('get list', 'core', 'pods')], []],
    ['one verb too many', [rule('get', 'core', 'pods')], [rule('get delete', 'core', 'pods')], [rule('delete', 'core', 'pods')]],
    ['everything wants everything', [rule('get', '*', '*')], [rule('*', '*', '*')], [rule('*', '*', '*')]],
    ['a name is less than all', [rule('get', 'core', 'pods')], [rule('get', 'core', 'pods', 'a')], []],
    ['all is more than a name', [rule('get', 'core', 'pods', 'a')], [rule('get', 'core', 'pods')], [rule('get', 'core', 'pods')]],
    ['another name', [rule('get', 'core', 'pods', 'a')], [rule('get', 'core', 'pods', 'a b')], [rule('get', 'core', 'pods', 'b')]],
    ['a subresource by wildcard', [rule('update', 'apps', '*/scale')], [rule('update', 'apps', 'deployments/scale')], []],
    ['paths', [urls('get', '/api/*')], [urls('get', '/api/v1 /apis')], [urls('get', '/apis')]],
  ];
  for (const [name, owned, wanted, expected] of table) it(name, () => assert.deepEqual(uncoveredRules(owned, wanted), expected));
});
