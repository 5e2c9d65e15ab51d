import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { validatingAdmissionPolicies } from '../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '../../../api/resources/admissionregistration/v1/validating-admission-policy-binding.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]',
  release: 'v1.30',
  behavior: 'Validations of a bound ValidatingAdmissionPolicy MUST be able to use its variables, and refuse what they do not hold for.',
  async run({ client, namespace, cleanUp }) {
    const name = `${namespace}-variables`;
    await client(validatingAdmissionPolicies).create({
      metadata: { name },
      spec: {
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        },
        variables: [
          { name: 'size', expression: 'object.?data.orValue({}).size()' },
          { name: 'isSmall', expression: 'variables.size < 2' },
        ],
        validations: [{ expression: 'variables.isSmall', messageExpression: "'it has ' + string(variables.size) + ' entries'" }],
      },
    });
    cleanUp(() => ignoreNotFound(client(validatingAdmissionPolicies).delete({ namespace: '', name })));
    await client(validatingAdmissionPolicyBindings).create({ metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } });
    cleanUp(() => ignoreNotFound(client(validatingAdmissionPolicyBindings).delete({ namespace: '', name })));
    const create = (data: Readonly<Record<string, string>>) =>
      client(configMaps).create({ metadata: { namespace, generateName: 'map-' }, data });
    const refusal = await waitFor(
      'the policy to be in force',
      () =>
        create({ a: '1', b: '2' }).then(
          () => undefined,
          (error: unknown) => error,
        ),
      { withinSeconds: 60 },
    );
    assert.ok(refusal instanceof StatusError, String(refusal));
    assert.equal(refusal.status.code, 422);
    assert.match(
      refusal.message,
      new RegExp(`ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: it has 2 entries`),
    );
    await create({ a: '1' });
  },
});
