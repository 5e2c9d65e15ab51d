import { ageColumn, integerColumn, nameColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ValidatingWebhookConfiguration } from '../../../types/admissionregistration-v1.ts';
import { validateWebhooks } from './webhook-validation.ts';

/** Webhooks that may refuse requests. */
export const validatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  storagePrefix: 'validatingwebhookconfigurations',
  hasGeneration: true,
  generationFields: ['webhooks'],
  allowUnconditionalUpdate: false,
  printerColumns: [nameColumn, integerColumn('Webhooks', ({ webhooks }) => webhooks?.length ?? 0), ageColumn],
  validate: ({ webhooks }, path) => validateWebhooks(webhooks, path.child('webhooks')),
});
