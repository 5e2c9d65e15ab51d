import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { validatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/validating-webhook-configuration.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { withHookUsers } from '../../webhooks/hook-caller.ts';
import type { HookUsers } from '../../webhooks/hook-users.ts';
import { type AdmissionPlugin, defineAdmissionPlugin } from '../admission.ts';
import { dispatchValidating } from '../webhooks/dispatch-validating.ts';
import { createWebhookFinder } from '../webhooks/select-webhooks.ts';

/**
 * Asks the webhooks of ValidatingWebhookConfigurations.
 * @param users the credentials that webhooks are shown; absent: none
 */
export function createValidatingAdmissionWebhook(users?: HookUsers): AdmissionPlugin {
  const findWebhooks = createWebhookFinder(validatingWebhookConfigurations);
  return defineAdmissionPlugin({
    name: 'ValidatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    reads: [namespaces, validatingWebhookConfigurations] as unknown as readonly ResourceDefinition[],
    async validate(request, dependencies) {
      const asking = users ? { ...dependencies, hooks: withHookUsers(dependencies.hooks, users) } : dependencies;
      await dispatchValidating(await findWebhooks(request, dependencies), request, asking);
    },
  });
}

export const validatingAdmissionWebhook = createValidatingAdmissionWebhook();
