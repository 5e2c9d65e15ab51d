import { eventsRule, rule } from '../runtime/rules.ts';

export const rules = [rule([''], ['secrets'], ['get', 'update', 'delete']), rule([''], ['serviceaccounts'], ['get']), eventsRule];
