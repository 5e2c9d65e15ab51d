import { rule } from '../runtime/rules.ts';

export const rules = [rule(['storage.k8s.io'], ['storageclasses'], ['create', 'get', 'list', 'watch'])];
