import assert from 'node:assert/strict';
import { validatingAdmissionPolicies } from '../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import type { ValidatingAdmissionPolicySpec } from '../../../api/types/admissionregistration-v1.ts';
import { type ControlPlane, startControlPlane } from '../testing/control-plane.ts';

describe('the status of ValidatingAdmissionPolicies', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane();
  });
  after(() => plane.stop());

  const rule = (group: string, ...resources: string[]) => ({
    apiGroups: [group],
    apiVersions: ['v1'],
    operations: ['CREATE' as const],
    resources,
  });
  const deployments = { resourceRules: [rule('apps', 'deployments')] };

  async function warningsOf(name: string, spec: Partial<ValidatingAdmissionPolicySpec>) {
    const whole = { matchConstraints: deployments, ...spec };
    await plane.client(validatingAdmissionPolicies).create({ metadata: { name }, spec: whole });
    const checked = await plane.waitFor('the status', async () => {
      const found = await plane.client(validatingAdmissionPolicies).get({ namespace: '', name });
      return found.status?.observedGeneration === found.metadata.generation && found;
    });
    return checked.status?.typeChecking?.expressionWarnings ?? [];
  }

  it('has no warnings of fields that there are', async () => {
    const expressions = [
      'object.spec.replicas > 1 && object.metadata.name.startsWith("a") && oldObject == null',
      'object.spec.template.spec.containers.all(c, c.image != "" && quantity(c.resources.limits["cpu"]).isInteger())',
      'has(object.spec.strategy.rollingUpdate) && object.spec.strategy.rollingUpdate.maxSurge == "1"',
      'object.metadata.creationTimestamp < timestamp("2030-01-01T00:00:00Z") && authorizer.requestResource.check("get").allowed()',
      'variables.names.exists(n, n == "a") && request.userInfo.username == "x"',
    ];
    const variables = [{ name: 'names', expression: 'object.spec.template.spec.containers.map(c, c.name)' }];
    assert.deepEqual(await warningsOf('good', { variables, validations: expressions.map((expression) => ({ expression })) }), []);
  });

  it('names fields that there are not, and types that do not fit, for each kind', async () => {
    const warnings = await warningsOf('bad', {
      matchConstraints: { resourceRules: [rule('apps', 'deployments', 'statefulsets', 'deployments/scale', 'unknowns')] },
      validations: [
        { expression: 'object.spec.replicas > "1"' },
        { expression: 'object.spec.serviceName == "x"', messageExpression: 'string(object.none)' },
      ],
    });
    assert.deepEqual(
      warnings.map(({ fieldRef }) => fieldRef),
      ['spec.validations[0].expression', 'spec.validations[1].expression', 'spec.validations[1].messageExpression'],
    );
    const overload = "ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'";
    const shown = (kind: string) => `apps/v1, Kind=${kind}: ${overload}\n | object.spec.replicas > "1"\n | .....................^\n`;
    assert.equal(warnings[0]?.warning, [shown('Deployment'), shown('StatefulSet')].join('\n'));
    assert.match(warnings[1]?.warning ?? '', /^apps\/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'serviceName'\n/);
    assert.doesNotMatch(warnings[1]?.warning ?? '', /StatefulSet/);
  });

  it('knows the types of parameters and of variables', async () => {
    const warnings = await warningsOf('params', {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [{ name: 'limit', expression: 'params.data["limit"]' }],
      validations: [{ expression: 'object.spec.replicas < variables.limit' }, { expression: 'params.none == 1' }],
    });
    assert.match(warnings[0]?.warning ?? '', /no matching overload for '_<_' applied to '\(int, string\)'/);
    assert.match(warnings[1]?.warning ?? '', /undefined field 'none'/);
  });

  it('says nothing of kinds that nobody can know', async () => {
    const everything = { resourceRules: [{ ...rule('*', '*'), apiVersions: ['*'] }] };
    assert.deepEqual(await warningsOf('all', { matchConstraints: everything, validations: [{ expression: 'object.a.b.c == 1' }] }), []);
  });
});
