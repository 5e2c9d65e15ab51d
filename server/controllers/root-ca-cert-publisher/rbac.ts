import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule([''], ['configmaps'], ['create', 'update']), eventsRule];
