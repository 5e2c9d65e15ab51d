import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule(['batch'], ['jobs'], ['get', 'list', 'watch', 'delete']), eventsRule];
