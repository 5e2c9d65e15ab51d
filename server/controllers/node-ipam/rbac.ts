import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule([''], ['nodes'], ['get', 'list', 'patch', 'watch']), eventsRule];
