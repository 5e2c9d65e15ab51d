import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { mutatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/mutating-webhook-configuration.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { dispatchMutating } from '../webhooks/dispatch-mutating.ts';
import { createWebhookFinder } from '../webhooks/select-webhooks.ts';

const findWebhooks = createWebhookFinder(mutatingWebhookConfigurations);

/** Asks the webhooks of MutatingWebhookConfigurations. */
export const mutatingAdmissionWebhook = defineAdmissionPlugin({
  name: 'MutatingAdmissionWebhook',
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  reads: [namespaces, mutatingWebhookConfigurations] as unknown as readonly ResourceDefinition[],
  async admit(request, dependencies) {
    await dispatchMutating(await findWebhooks(request, dependencies), request, dependencies);
  },
});
