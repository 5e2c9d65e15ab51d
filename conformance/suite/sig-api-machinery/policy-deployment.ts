import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { validatingAdmissionPolicies } from '../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '../../../api/resources/admissionregistration/v1/validating-admission-policy-binding.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { waitFor } from '../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]',
  release: 'v1.30',
  behavior: 'A bound ValidatingAdmissionPolicy MUST refuse a Deployment for which a validation is false, and admit another.',
  async run({ client, namespace, cleanUp }) {
    const name = `${namespace}-replicas`;
    await client(validatingAdmissionPolicies).create({
      metadata: { name },
      spec: {
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
        },
        validations: [
          { expression: 'object.spec.replicas > 1', messageExpression: "'wants replicas > 1, got ' + string(object.spec.replicas)" },
          { expression: 'namespaceObject.metadata.name == request.namespace', message: 'Internal error! Other namespace than expected.' },
        ],
      },
    });
    cleanUp(() => ignoreNotFound(client(validatingAdmissionPolicies).delete({ namespace: '', name })));
    await client(validatingAdmissionPolicyBindings).create({ metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } });
    cleanUp(() => ignoreNotFound(client(validatingAdmissionPolicyBindings).delete({ namespace: '', name })));
    const labels = { app: 'policy' };
    const create = (replicas: number) =>
      client(deployments).create({
        metadata: { namespace, generateName: 'policy-' },
        spec: {
          replicas,
          // Paused: no Pod is needed to see a policy.
          paused: true,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } },
        },
      });
    const refusal = await waitFor(
      'the policy to be in force',
      () =>
        create(1).then(
          () => undefined,
          (error: unknown) => error,
        ),
      { withinSeconds: 60 },
    );
    assert.ok(refusal instanceof StatusError, String(refusal));
    assert.equal(refusal.status.reason, 'Invalid');
    assert.match(refusal.message, /denied request: wants replicas > 1, got 1/);
    await create(2);
  },
});
