import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Client } from '../../api/client/client.ts';
import type { EventRecorder } from '../../api/client/events/event-recorder.ts';
import type { InformerFactory } from '../../api/client/informers/informer.ts';
import type { SchedulerPlugin } from './framework/framework.ts';

export interface SchedulerDependencies {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly plugins: readonly SchedulerPlugin[];
  /** Called when the scheduling of a Pod begins. */
  readonly onBegin?: (pod: string) => void;
}
