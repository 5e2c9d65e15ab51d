import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule(['*'], ['*'], ['list', 'watch']), rule([''], ['resourcequotas/status'], ['update']), eventsRule];
