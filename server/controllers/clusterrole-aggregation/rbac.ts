import { rule } from '../runtime/rules.ts';

export const rules = [rule(['rbac.authorization.k8s.io'], ['clusterroles'], ['escalate', 'get', 'list', 'watch', 'update', 'patch'])];
