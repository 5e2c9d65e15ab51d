import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** None for the whole cluster: its Roles in kube-system and kube-public are among the defaults. */
export const rules: readonly PolicyRule[] = [];
