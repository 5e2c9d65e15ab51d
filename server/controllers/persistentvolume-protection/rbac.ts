import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule([''], ['persistentvolumes'], ['get', 'list', 'update', 'watch']), eventsRule];
