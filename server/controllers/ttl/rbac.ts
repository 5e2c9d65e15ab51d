import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule([''], ['nodes'], ['list', 'patch', 'update', 'watch']), eventsRule];
