import type { Event } from '../../types/core-v1.ts';

export type CoreEvent = Event;
