import { rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['namespaces'], ['get', 'list', 'watch', 'delete']),
  rule([''], ['namespaces/finalize', 'namespaces/status'], ['update']),
  rule([''], ['pods'], ['watch']),
  rule(['*'], ['*'], ['get', 'list', 'delete', 'deletecollection']),
];
