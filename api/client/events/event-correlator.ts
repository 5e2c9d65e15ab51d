import type { CoreEvent } from './core-event.ts';

/** The result for an event: it is dropped, it is new, or it raises the count of an earlier event. */
type CorrelatedEvent =
  | { readonly kind: 'dropped' }
  | { readonly kind: 'create'; readonly event: CoreEvent }
  | { readonly kind: 'repeat'; readonly event: CoreEvent; readonly count: number };

export interface EventCorrelator {
  correlate(event: CoreEvent, nowMs: number): CorrelatedEvent;
  /** The event was written under this name, or has to be written anew if `name` is undefined. */
  remember(event: CoreEvent, name: string | undefined): void;
}

/** The time within which different messages about one object are combined into one event. */
const aggregationMs = 600_000;
const aggregationLimit = 10;
/** The number of events that one source may report on one object at once; after that, one every five minutes. */
const spamBurst = 25;
const spamPerSecond = 1 / 300;
const remembered = 4096;

interface Written {
  readonly name: string;
  readonly firstTimestamp: string | undefined;
  count: number;
}

/**
 * Keeps many similar events from flooding the store: a repeated event raises a count, many events that differ only in their message become
 * one combined event, and the events of one source on one object are limited in number.
 */
export function createEventCorrelator(): EventCorrelator {
  const written = new Map<string, Written>();
  const similar = new Map<string, { messages: Set<string>; lastMs: number }>();
  const budgets = new Map<string, { tokens: number; atMs: number }>();

  const mayReport = (event: CoreEvent, nowMs: number): boolean => {
    const key = spamKey(event);
    const budget = budgets.get(key) ?? { tokens: spamBurst, atMs: nowMs };
    budget.tokens = Math.min(spamBurst, budget.tokens + ((nowMs - budget.atMs) / 1000) * spamPerSecond);
    budget.atMs = nowMs;
    keep(budgets, key, budget);
    if (budget.tokens < 1) return false;
    budget.tokens--;
    return true;
  };
  const aggregate = (event: CoreEvent, nowMs: number): CoreEvent => {
    const key = groupKey(event);
    let group = similar.get(key);
    if (group === undefined || nowMs - group.lastMs > aggregationMs) group = { messages: new Set(), lastMs: nowMs };
    group.messages.add(event.message ?? '');
    group.lastMs = nowMs;
    keep(similar, key, group);
    if (group.messages.size < aggregationLimit) return event;
    group.messages.delete(group.messages.values().next().value ?? '');
    return { ...event, message: `(combined from similar events): ${event.message ?? ''}` };
  };
  return {
    correlate(event, nowMs) {
      const shown = aggregate(event, nowMs);
      if (!mayReport(event, nowMs)) return { kind: 'dropped' };
      const known = written.get(identityOf(shown));
      if (known === undefined) return { kind: 'create', event: shown };
      known.count++;
      const metadata = { ...shown.metadata, name: known.name };
      const firstTimestamp = known.firstTimestamp;
      const repeated = { ...shown, metadata, count: known.count, ...(firstTimestamp === undefined ? {} : { firstTimestamp }) };
      return { kind: 'repeat', event: repeated, count: known.count };
    },
    remember(event, name) {
      const key = identityOf(event);
      if (name === undefined) written.delete(key);
      else keep(written, key, { name, firstTimestamp: event.firstTimestamp ?? undefined, count: event.count ?? 1 });
    },
  };
}

const combined = '(combined from similar events): ';

/** The identity of an event. Combined events count as one, whatever their latest message is. */
function identityOf(event: CoreEvent): string {
  if (event.message?.startsWith(combined)) return `combined|${groupKey(event)}`;
  return `${groupKey(event)}|${event.message ?? ''}`;
}

function groupKey(event: CoreEvent): string {
  return [spamKey(event), event.type, event.reason, event.reportingComponent, event.reportingInstance].join('|');
}

function spamKey(event: CoreEvent): string {
  const { kind, namespace, name, uid, apiVersion, fieldPath } = event.involvedObject;
  return [event.source?.component, event.source?.host, kind, namespace, name, uid, apiVersion, fieldPath].join('|');
}

/** Sets an entry and drops the least recently used one if there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > remembered) for (const oldest of map.keys()) return void map.delete(oldest);
}
