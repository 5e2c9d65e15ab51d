import assert from 'node:assert/strict';
import { StatusError } from '../../../../api/meta/status.ts';
import { validatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/validating-webhook-configuration.ts';
import { conformanceTest } from '../../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating webhook configurations with invalid match conditions [Conformance]',
  release: 'v1.28',
  behavior: 'A validating webhook configuration with a match condition that does not compile MUST be refused.',
  async run({ client, namespace }) {
    const webhook = {
      name: `conditions.${namespace}.example.com`,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None' as const,
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      clientConfig: { service: { namespace, name: 'none', path: '/' } },
    };
    const create = (...expressions: string[]) =>
      client(validatingWebhookConfigurations).create({
        metadata: { name: `${namespace}-conditions` },
        webhooks: [{ ...webhook, matchConditions: expressions.map((expression, index) => ({ name: `condition-${index}`, expression })) }],
      });
    await assert.rejects(create('... [] bad expression'), (error) => {
      assert.ok(error instanceof StatusError, String(error));
      assert.equal(error.status.code, 422);
      assert.match(error.message, /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: .*compilation failed/);
      return true;
    });
  },
});
