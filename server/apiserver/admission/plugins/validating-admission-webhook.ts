import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { validatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/validating-webhook-configuration.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { dispatchValidating } from '../webhooks/dispatch-validating.ts';
import { createWebhookFinder } from '../webhooks/select-webhooks.ts';

const findWebhooks = createWebhookFinder(validatingWebhookConfigurations);

/** Asks the webhooks of ValidatingWebhookConfigurations. */
export const validatingAdmissionWebhook = defineAdmissionPlugin({
  name: 'ValidatingAdmissionWebhook',
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  reads: [namespaces, validatingWebhookConfigurations] as unknown as readonly ResourceDefinition[],
  async validate(request, dependencies) {
    await dispatchValidating(await findWebhooks(request, dependencies), request, dependencies);
  },
});
