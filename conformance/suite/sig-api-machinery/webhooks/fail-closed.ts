import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import { validatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/validating-webhook-configuration.ts';
import { configMaps } from '../../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../../framework/conformance-test.ts';
import { waitFor } from '../../../framework/wait-for.ts';

export default conformanceTest({
  name: '[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should unconditionally reject operations on fail closed webhook [Conformance]',
  release: 'v1.16',
  behavior: 'A request that matches a webhook with the failure policy Fail MUST be refused while the webhook cannot be reached.',
  async run({ client, namespace, cleanUp }) {
    const name = `${namespace}-fail-closed`;
    await client(validatingWebhookConfigurations).create({
      metadata: { name },
      webhooks: [
        {
          name: `fail-closed.${namespace}.example.com`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          timeoutSeconds: 5,
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
          clientConfig: { service: { namespace, name: 'not-there', path: '/configmaps' } },
        },
      ],
    });
    cleanUp(() => ignoreNotFound(client(validatingWebhookConfigurations).delete({ namespace: '', name })));
    const create = () =>
      client(configMaps)
        .create({ metadata: { namespace, generateName: 'map-' } })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
    const refusal = await waitFor('the webhook to be in force', create, { withinSeconds: 60 });
    assert.ok(refusal instanceof StatusError, String(refusal));
    assert.equal(refusal.status.code, 500);
    assert.match(refusal.message, new RegExp(`failed calling webhook "fail-closed\\.${namespace}\\.example\\.com"`));
    // Configurations are exempt, so that it can be removed.
    await client(validatingWebhookConfigurations).delete({ namespace: '', name });
    await waitFor('requests to pass again', async () => (await create()) === undefined, { withinSeconds: 60 });
  },
});
