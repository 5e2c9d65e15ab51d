import assert from 'node:assert/strict';
import type { AuthorizationAttributes } from '../authorization/authorizer.ts';
import { decideAudit, parseAuditPolicy } from './audit-policy.ts';

const policyOf = (rules: readonly object[], more: object = {}) =>
  parseAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more });
const request = (more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => ({
  user: { name: 'jane', groups: ['dev', 'system:authenticated'] },
  ...{ verb: 'get', isResourceRequest: true, namespace: 'default', apiGroup: '', apiVersion: 'v1' },
  ...{ resource: 'pods', subresource: '', name: 'p', path: '', ...more },
});
const path = (text: string) => request({ isResourceRequest: false, path: text, resource: '', namespace: '', name: '' });

describe('audit policy', () => {
  const cases: [what: string, rule: object, matching: AuthorizationAttributes[], other: AuthorizationAttributes[]][] = [
    ['everything', {}, [request(), path('/healthz')], []],
    ['users', { users: ['jane'] }, [request()], [request({ user: { name: 'joe', groups: [] } })]],
    ['groups', { userGroups: ['ops', 'dev'] }, [request()], [request({ user: { name: 'jane', groups: ['sales'] } })]],
    ['verbs', { verbs: ['create', 'get'] }, [request()], [request({ verb: 'list' })]],
    ['namespaces', { namespaces: ['default'] }, [request()], [request({ namespace: 'other' }), request({ namespace: '' }), path('/')]],
    ['what is in no namespace', { namespaces: [''] }, [request({ namespace: '' })], [request()]],
    ['a group', { resources: [{ group: 'apps' }] }, [request({ apiGroup: 'apps', resource: 'x' })], [request()]],
    ['resources', { resources: [{ resources: ['pods'] }] }, [request()], [request({ subresource: 'log' }), request({ apiGroup: 'apps' })]],
    ['a subresource', { resources: [{ resources: ['pods/log'] }] }, [request({ subresource: 'log' })], [request()]],
    [
      'all of a resource',
      { resources: [{ resources: ['pods/*'] }] },
      [request({ subresource: 'log' }), request()],
      [request({ resource: 'nodes' })],
    ],
    [
      'a subresource of all',
      { resources: [{ resources: ['*/scale'] }] },
      [request({ resource: 'x', subresource: 'scale' })],
      [request({ resource: 'scale' }), request({ subresource: 'status' })],
    ],
    [
      'all of a group',
      { resources: [{ resources: ['*'] }] },
      [request(), request({ subresource: 'log' })],
      [request({ apiGroup: 'apps' })],
    ],
    ['names', { resources: [{ resources: ['pods'], resourceNames: ['p'] }] }, [request()], [request({ name: 'q' }), request({ name: '' })]],
    ['paths', { nonResourceURLs: ['/healthz', '/api*'] }, [path('/healthz'), path('/api/x'), path('/api')], [path('/'), request()]],
    ['all paths', { nonResourceURLs: ['*'] }, [path('/x')], [request()]],
  ];
  for (const [what, rule, matching, other] of cases)
    it(`matches ${what}`, () => {
      const policy = policyOf([{ level: 'Request', ...rule }]);
      for (const attributes of matching) assert.equal(decideAudit(policy, attributes).level, 'Request', JSON.stringify(attributes));
      for (const attributes of other) assert.equal(decideAudit(policy, attributes).level, 'None', JSON.stringify(attributes));
    });
  it('goes by the first rule that matches, with the stages that both leave out', () => {
    const policy = policyOf(
      [
        { level: 'None', users: ['joe'] },
        { level: 'Metadata', omitStages: ['ResponseStarted'], omitManagedFields: false },
        { level: 'RequestResponse' },
      ],
      { omitStages: ['RequestReceived'], omitManagedFields: true },
    );
    const { level, omitStages, omitManagedFields } = decideAudit(policy, request());
    assert.deepEqual([level, [...omitStages].sort(), omitManagedFields], ['Metadata', ['RequestReceived', 'ResponseStarted'], false]);
    assert.equal(decideAudit(policy, request({ user: { name: 'joe', groups: [] } })).level, 'None');
  });

  const wrong: [what: string, rules: readonly object[], message: RegExp][] = [
    ['no rules', [], /it has no rules/],
    ['no level', [{}], /rules\[0\]\.level: Required value/],
    [
      'another level',
      [{ level: 'All' }],
      /rules\[0\]\.level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"/,
    ],
    ['an unknown field', [{ level: 'None', user: ['a'] }], /rules\[0\] has the unknown field "user"/],
    [
      'another stage',
      [{ level: 'None', omitStages: ['Begun'] }],
      /omitStages\[0\]: Invalid value: "Begun": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic/,
    ],
    ['a path without a slash', [{ level: 'None', nonResourceURLs: ['x'] }], /non-resource URL rules must begin with a '\/' character/],
    ['a star inside', [{ level: 'None', nonResourceURLs: ['/a*b'] }], /must be the final character of the rule/],
    ['paths and resources', [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }], /rules cannot apply to both/],
    ['a group with its version', [{ level: 'None', resources: [{ group: 'apps/v1' }] }], /resources\.group: Invalid value: "apps\/v1"/],
    [
      'names of no resource',
      [{ level: 'None', resources: [{ resourceNames: ['a'] }] }],
      /using resourceNames requires at least one resource/,
    ],
    ['a text in place of a list', [{ level: 'None', users: 'jane' }], /rules\[0\]\.users is not a list/],
  ];
  for (const [what, rules, message] of wrong) it(`refuses ${what}`, () => assert.throws(() => policyOf(rules), message));
});
