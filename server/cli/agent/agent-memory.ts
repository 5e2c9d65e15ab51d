import { systemClock } from '../../../api/base/system-clock.ts';
import { releaseIdleMemory } from '../startup/release-idle-memory.ts';

// Loaded into agents first, so that memory from a burst of work is returned to the machine and its Pods.
releaseIdleMemory(systemClock);
