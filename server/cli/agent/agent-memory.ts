import { systemClock } from '../../../api/base/system-clock.ts';
import { releaseIdleMemory } from '../startup/release-idle-memory.ts';

// Loaded into agents before all else: what they used in a burst of work goes back to the machine, it is there for Pods.
releaseIdleMemory(systemClock);
