import { sleep, type Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { flowSchemas } from '../../../api/resources/flowcontrol/v1/flow-schema.ts';
import { priorityLevelConfigurations } from '../../../api/resources/flowcontrol/v1/priority-level-configuration.ts';
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from '../../../api/types/flowcontrol-v1.ts';
import { borrowingPeriodMs, type FlowControl } from './flow-control.ts';
import { queuingOf } from './plan-limits.ts';

const fieldManager = 'api-priority-and-fairness-config-consumer-v1';
/** Servers that do not agree on a status do not fight over it. */
const maxStatusesPerMinute = 5;

export interface FlowControlRunner {
  /** Keeps the flow control in step with its objects, and seats lent where they are needed; until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

interface FlowControlRunnerDependencies {
  readonly flows: FlowControl;
  readonly informers: InformerFactory;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The informers are asked for at once, so that the server waits for them before it is ready. */
export function createFlowControlRunner({ flows, informers, client, clock, logger }: FlowControlRunnerDependencies): FlowControlRunner {
  const levels = informers.informer<PriorityLevelConfiguration>(priorityLevelConfigurations);
  const schemas = informers.informer<FlowSchema>(flowSchemas);
  const writer = createStatusWriter(client, clock, logger);
  let isRunning = false;
  const writeStatuses = () => {
    if (!isRunning) return;
    const usable = levels.lister.list({ matches: (level) => queuingOf(level) !== undefined });
    const names = new Set(usable.map(({ metadata }) => metadata.name));
    for (const schema of schemas.lister.list()) {
      const level = schema.spec?.priorityLevelConfiguration.name ?? '';
      writer.write(schema, danglingCondition(level, names.has(level), formatTime(clock.nowMs())));
    }
  };
  const digestSoon = coalesce(() => {
    flows.configure(levels.lister.list(), schemas.lister.list());
    writeStatuses();
  });
  follow(levels, digestSoon);
  follow(schemas, digestSoon);
  return {
    async run(signal) {
      isRunning = true;
      digestSoon();
      try {
        for (;;) {
          await sleep(clock, borrowingPeriodMs, signal);
          flows.adjust();
          // Statuses whose write failed, or had to wait.
          writeStatuses();
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      isRunning = false;
    },
  };
}

/** The condition of a FlowSchema about the priority level that it leads to. */
function danglingCondition(level: string, isFound: boolean, now: string): FlowSchemaCondition {
  const found = `This FlowSchema references the PriorityLevelConfiguration object named ${quote(level)}`;
  return {
    type: 'Dangling',
    status: isFound ? 'False' : 'True',
    lastTransitionTime: now,
    reason: isFound ? 'Found' : 'NotFound',
    message: isFound ? `${found} and it exists` : `${found} but there is no such object`,
  };
}

function follow<T extends PriorityLevelConfiguration | FlowSchema>(informer: Informer<T>, changed: () => void): void {
  informer.addHandler({
    onAdd: changed,
    onDelete: changed,
    onUpdate: changed,
  });
}

/** Runs the work once for all calls in one turn, such as those for the objects of a first list. */
function coalesce(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    void Promise.resolve().then(() => {
      isDue = false;
      work();
    });
  };
}

interface StatusWriter {
  /** Does nothing where the condition is there already. */
  write(schema: DeepReadonly<FlowSchema>, wanted: FlowSchemaCondition): void;
}

function createStatusWriter(client: Client, clock: Clock, logger: Logger): StatusWriter {
  const written = new Map<string, number[]>();
  return {
    write({ metadata, status }, wanted) {
      const present = status?.conditions?.find(({ type }) => type === wanted.type);
      if (present?.status === wanted.status && present?.reason === wanted.reason && present?.message === wanted.message) return;
      const name = metadata.name ?? '';
      const nowMs = clock.nowMs();
      const recent = (written.get(name) ?? []).filter((atMs) => nowMs - atMs < 60_000);
      if (recent.length >= maxStatusesPerMinute) return;
      written.set(name, [...recent, nowMs]);
      const body = {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'FlowSchema',
        metadata: { name },
        status: { conditions: [wanted] },
      };
      const applied = client(flowSchemas).patch(
        { namespace: '', name },
        { type: 'apply', body },
        { fieldManager, force: true, subresource: 'status' },
      );
      ignoreNotFound(applied).catch((error: unknown) => logger.warn('the status of a FlowSchema could not be written', { name, error }));
    },
  };
}
