import { customObjects } from './custom-objects.ts';
import { definitions } from './definitions.ts';
import { admission } from './admission.ts';
import { informers } from './informers.ts';
import { lists } from './lists.ts';
import { memory } from './memory.ts';
import { requests } from './requests.ts';
import type { Scenario } from './scenario.ts';
import { start } from './start.ts';
import { watch } from './watch.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [start, requests, customObjects, admission, definitions, memory, lists, informers, watch];
