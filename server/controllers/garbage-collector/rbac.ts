import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule(['*'], ['*'], ['get', 'list', 'watch', 'patch', 'update', 'delete']), eventsRule];
