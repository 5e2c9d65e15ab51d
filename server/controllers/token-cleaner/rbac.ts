import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** None for the whole cluster: its Role in kube-system is one of the defaults. */
export const rules: readonly PolicyRule[] = [];
