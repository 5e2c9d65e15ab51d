import { type Clock, sleep } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { KubeObject } from '../../meta/object.ts';
import { StatusError } from '../../meta/status.ts';
import type { ListOptions, ResourceClient } from '../client.ts';
import { listPages } from '../list-pages.ts';
import { nextReflectorStep, type ReflectorOutcome, type ReflectorState } from './reflector-state.ts';

/** The receiver of all that a reflector lists and watches. */
export interface ReflectorSink<T extends KubeObject> {
  /** Replaces all objects: others that were known are gone. */
  replace(objects: readonly DeepReadonly<T>[]): void;
  set(object: DeepReadonly<T>): void;
  remove(object: DeepReadonly<T>): void;
}

interface ReflectorSettings<T extends KubeObject> {
  readonly client: ResourceClient<T>;
  readonly selection: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Begins with a watch that sends the existing objects, in place of a list, if the server supports it. */
  readonly streamInitialList?: boolean;
  readonly signal: AbortSignal;
}

const initialEventsEnd = 'k8s.io/initial-events-end';

/**
 * Follows a selection of one resource: list, then watch from the list's resourceVersion, then watch again from the last
 * version seen whenever the watch ends. Lists anew only when the server no longer holds that version. Returns when the
 * signal is aborted; nothing else ends it.
 */
export async function runReflector<T extends KubeObject>(settings: ReflectorSettings<T>): Promise<void> {
  const { signal, clock, logger } = settings;
  const mayStream = settings.streamInitialList === true;
  const backoff = createBackoff(clock, settings.random);
  let state: ReflectorState = { phase: mayStream ? 'streaming' : 'listing', resourceVersion: '0' };
  if (mayStream) state = { ...state, resourceVersion: '' };
  while (!signal.aborted) {
    const outcome = await perform(settings, state);
    if (signal.aborted) return;
    const step = nextReflectorStep(state, outcome, mayStream);
    if (outcome.kind === 'failed') report(logger, state, step.state, outcome.error);
    state = step.state;
    if (!step.backOff) continue;
    try {
      await sleep(clock, Math.max(backoff.nextMs(), retryAfterMs(outcome)), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Status codes that a healthy cluster answers too: a kind was removed, history was compacted, too many requests. */
const expectedCodes: ReadonlySet<number | undefined> = new Set([404, 410, 429]);

function report(logger: Logger, state: ReflectorState, next: ReflectorState, error: unknown): void {
  const expected = error instanceof StatusError && expectedCodes.has(error.code);
  const fields = { phase: state.phase, next: next.phase, resourceVersion: next.resourceVersion, error };
  if (expected) logger.debug('following a resource was interrupted', fields);
  else logger.warn('following a resource was interrupted', fields);
}

function retryAfterMs(outcome: ReflectorOutcome): number {
  if (outcome.kind !== 'failed' || !(outcome.error instanceof StatusError)) return 0;
  return (outcome.error.status.details?.retryAfterSeconds ?? 0) * 1000;
}

async function perform<T extends KubeObject>(settings: ReflectorSettings<T>, state: ReflectorState): Promise<ReflectorOutcome> {
  switch (state.phase) {
    case 'listing':
      return await list(settings, state.resourceVersion);
    case 'streaming':
      return await watch(settings, state.resourceVersion, true);
    case 'watching':
      return await watch(settings, state.resourceVersion, false);
  }
}

async function list<T extends KubeObject>(settings: ReflectorSettings<T>, resourceVersion: string): Promise<ReflectorOutcome> {
  const { client, selection, signal, sink } = settings;
  try {
    const objects: DeepReadonly<T>[] = [];
    let listed = '';
    for await (const page of listPages(client, { ...selection, ...(resourceVersion === '' ? {} : { resourceVersion }), signal })) {
      for (const item of page.items) objects.push(item as DeepReadonly<T>);
      listed ||= page.resourceVersion;
    }
    if (!signal.aborted) sink.replace(objects);
    return { kind: 'listed', resourceVersion: listed };
  } catch (error) {
    return { kind: 'failed', error, resourceVersion };
  }
}

/** Sends one watch request. With `initial` it first gathers the existing objects and replaces the store's content by them. */
async function watch<T extends KubeObject>(settings: ReflectorSettings<T>, from: string, initial: boolean): Promise<ReflectorOutcome> {
  const { client, selection, signal, sink, clock, random } = settings;
  const startMs = clock.monotonicMs();
  let gathered: DeepReadonly<T>[] | undefined = initial ? [] : undefined;
  let resourceVersion = from;
  let eventCount = 0;
  try {
    const events = client.watch({
      ...selection,
      ...(from === '' ? {} : { resourceVersion: from }),
      allowWatchBookmarks: true,
      ...(initial ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const } : {}),
      timeoutSeconds: Math.round(300 * (1 + random.next())),
      signal,
    });
    for await (const { type, object } of events) {
      if (signal.aborted) break;
      eventCount++;
      if (type === 'BOOKMARK') {
        if (gathered !== undefined && object.metadata.annotations?.[initialEventsEnd] === 'true') {
          sink.replace(gathered);
          gathered = undefined;
        }
      } else if (gathered !== undefined) gathered.push(object);
      else if (type === 'DELETED') sink.remove(object);
      else sink.set(object);
      resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
    }
  } catch (error) {
    if (initial && gathered === undefined) return { kind: 'listed', resourceVersion };
    return { kind: 'failed', error, resourceVersion };
  }
  // A watch that got past its initial part leaves the store as a list would have.
  if (initial && gathered === undefined) return { kind: 'listed', resourceVersion };
  return { kind: 'watch-ended', resourceVersion, lastedMs: clock.monotonicMs() - startMs, eventCount };
}

/** The backoff: 0.8 s doubling to 30 s, each lengthened at random by up to 100 %; reset after two minutes without failure. */
function createBackoff(clock: Clock, random: Random): { nextMs(): number } {
  let delayMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    nextMs() {
      const nowMs = clock.monotonicMs();
      delayMs = nowMs - lastMs > 120_000 ? 800 : Math.min(delayMs * 2, 30_000);
      lastMs = nowMs;
      return delayMs * (1 + random.next());
    },
  };
}
