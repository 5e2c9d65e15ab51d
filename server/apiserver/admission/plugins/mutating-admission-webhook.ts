import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { mutatingWebhookConfigurations } from '../../../../api/resources/admissionregistration/v1/mutating-webhook-configuration.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { withHookUsers } from '../../webhooks/hook-caller.ts';
import type { HookUsers } from '../../webhooks/hook-users.ts';
import { type AdmissionPlugin, defineAdmissionPlugin } from '../admission.ts';
import { dispatchMutating } from '../webhooks/dispatch-mutating.ts';
import { createWebhookFinder } from '../webhooks/select-webhooks.ts';

/**
 * Asks the webhooks of MutatingWebhookConfigurations.
 * @param users the credentials that webhooks are shown; absent: none
 */
export function createMutatingAdmissionWebhook(users?: HookUsers): AdmissionPlugin {
  const findWebhooks = createWebhookFinder(mutatingWebhookConfigurations);
  return defineAdmissionPlugin({
    name: 'MutatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    reads: [namespaces, mutatingWebhookConfigurations] as unknown as readonly ResourceDefinition[],
    async admit(request, dependencies) {
      const asking = users ? { ...dependencies, hooks: withHookUsers(dependencies.hooks, users) } : dependencies;
      await dispatchMutating(await findWebhooks(request, dependencies), request, asking);
    },
  });
}

export const mutatingAdmissionWebhook = createMutatingAdmissionWebhook();
