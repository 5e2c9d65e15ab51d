import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** No rules for the whole cluster: its Role in kube-system is one of the default roles. */
export const rules: readonly PolicyRule[] = [];
