import { rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['namespaces'], ['get', 'list', 'watch', 'delete']),
  rule([''], ['namespaces/finalize', 'namespaces/status'], ['update']),
  rule(['*'], ['*'], ['get', 'list', 'watch', 'delete', 'deletecollection']),
];
