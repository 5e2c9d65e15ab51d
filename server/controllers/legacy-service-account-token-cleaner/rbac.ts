import { tokenTrackingKey } from '../../../api/semantics/secrets/service-account-tokens.ts';
import { rule } from '../runtime/rules.ts';

export const rules = [
  { apiGroups: [''], resources: ['configmaps'], resourceNames: [tokenTrackingKey.name], verbs: ['get'] },
  rule([''], ['secrets'], ['delete', 'list', 'patch', 'watch']),
  rule([''], ['pods', 'serviceaccounts'], ['list', 'watch']),
];
