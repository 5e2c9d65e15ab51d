import { rule } from '../runtime/rules.ts';

export const rules = [rule(['certificates.k8s.io'], ['certificatesigningrequests'], ['delete', 'get', 'list', 'watch'])];
