import { rule } from '../runtime/rules.ts';

export const rules = [
  rule([''], ['pods'], ['list', 'watch', 'delete']),
  rule([''], ['nodes'], ['get', 'list', 'watch']),
  rule([''], ['pods/status'], ['patch']),
];
