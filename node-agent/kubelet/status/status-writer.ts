import { type Clock, sleep, type Timer } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { hasReason, StatusError } from '../../../api/meta/status.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod, PodStatus } from '../../../api/types/core-v1.ts';
import { statusPatch } from './status-patch.ts';

/**
 * Writes a Pod's status to the API: one request at a time, the latest status wins, an unchanged one is not written, and few are written
 * while the Pod starts.
 */
export interface StatusWriter {
  /** The Pod as the API has it now. */
  observe(pod: DeepReadonly<Pod>): void;
  set(status: PodStatus): void;
  /** Resolves when the status last set has been written, or cannot be any more. */
  written(): Promise<void>;
  stop(): void;
}

const retryMs = 1000;
/** Delay of a status on a Pod's way to running, which is mostly out of date before anybody reads it. */
const onItsWayMs = 300;

export function createStatusWriter(
  first: DeepReadonly<Pod>,
  { client, clock, logger }: { readonly client: Client; readonly clock: Clock; readonly logger: Logger },
): StatusWriter {
  const abort = new AbortController();
  const { uid } = first.metadata;
  let seen = first;
  let wanted: PodStatus | undefined;
  let writing: Promise<void> | undefined;
  let timer: Timer | undefined;
  const adopt = (pod: DeepReadonly<Pod>) => {
    if (pod.metadata.uid === uid && isNewer(pod, seen)) seen = pod;
  };
  const write = async (): Promise<void> => {
    while (!abort.signal.aborted && wanted) {
      // The wanted status may change while it is being written.
      const sent = wanted;
      const patch = statusPatch(seen.status ?? {}, sent);
      if (!patch) return;
      try {
        // The uid makes sure that a Pod of the same name that came later is not touched.
        const body = { metadata: { uid }, status: patch };
        adopt(await client(pods).patch(keyOf(seen), { type: 'strategic', body }, { subresource: 'status' }));
        seen = withStatus(seen, sent);
      } catch (error) {
        if (abort.signal.aborted || hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
        const isRefused = error instanceof StatusError && error.code >= 400 && error.code < 500 && error.code !== 429;
        logger.warn('the status of a Pod could not be written', { pod: first.metadata.name, namespace: first.metadata.namespace, error });
        await sleep(clock, isRefused ? 10 * retryMs : retryMs, abort.signal).catch(() => undefined); // aborted
      }
    }
  };
  const flush = () => {
    timer?.cancel();
    timer = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  };
  return {
    observe: adopt,
    set(status) {
      wanted = status;
      if (!statusPatch(seen.status ?? {}, status)) return;
      const isOnItsWay = status.phase === 'Pending' && seen.status?.startTime !== undefined;
      if (!isOnItsWay) flush();
      else timer ??= clock.setTimer(onItsWayMs, flush, { background: true });
    },
    written: async () => {
      if (timer) flush();
      while (writing) await writing;
    },
    stop() {
      timer?.cancel();
      abort.abort();
    },
  };
}

/** The Pod with a status that was just written, so that a server that normalises it is not asked again and again. */
function withStatus(pod: DeepReadonly<Pod>, status: PodStatus): DeepReadonly<Pod> {
  const conditions = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  for (const condition of status.conditions ?? []) conditions.set(condition.type, condition);
  return { ...pod, status: { ...pod.status, ...status, conditions: [...conditions.values()] } };
}

function isNewer(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): boolean {
  const version = (pod: DeepReadonly<Pod>) =>
    BigInt(/^\d+$/.test(pod.metadata.resourceVersion ?? '') ? (pod.metadata.resourceVersion ?? 0) : 0);
  return version(a) > version(b);
}
