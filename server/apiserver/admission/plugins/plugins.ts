import type { AdmissionPlugin } from '../admission.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { priority } from './priority.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

/** All plugins, in the order in which they run (upstream's). What decides on the finished object comes last. */
export const admissionPlugins: readonly AdmissionPlugin[] = [namespaceLifecycle, taintNodesByCondition, priority, defaultTolerationSeconds];
