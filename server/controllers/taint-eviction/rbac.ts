import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** The rules are empty: it acts as the node controller, whose role has all it needs. */
export const rules: readonly PolicyRule[] = [];
