import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../../api/base/clock.ts';
import type { Random } from '../../../../api/base/random.ts';
import { flag, recordType, responseCode } from '../message/codes.ts';
import type { ReadMessage } from '../message/read-message.ts';
import type { UpstreamGroup } from './upstream-group.ts';

/** Answers queries by upstream servers, from the cache where that is fresh. */
export interface Forwarder {
  /** The answer with the query's id; undefined if no server answered. `fromCache` is for metrics. */
  forward(query: ReadMessage): Promise<{ readonly bytes: Uint8Array; readonly fromCache: boolean } | undefined>;
}

interface ForwarderDependencies {
  readonly group: UpstreamGroup;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxEntries?: number;
}

interface Entry {
  /** Undefined: no server answered. */
  readonly answer: ReadMessage | undefined;
  readonly storedMs: number;
  readonly lifetimeMs: number;
}

/** The bounds of CoreDNS's `cache 30`: answers are kept for their TTL, but within these bounds; failures for five seconds. */
const maxTTL = 30;
const minTTL = 5;
const failureTTL = 5;
const nobodyAnswersTTL = 1;
const defaultMaxEntries = 10_000;
/** Questions on their way at once; more are refused, so that a dead upstream cannot fill the memory. */
const maxPending = 1000;

export function createForwarder({ group, clock, random, maxEntries = defaultMaxEntries }: ForwarderDependencies): Forwarder {
  const cache = new LRUCache<string, Entry>({ max: maxEntries });
  const pending = new Map<string, Promise<Entry>>();

  const ask = async (query: ReadMessage, key: string): Promise<Entry> => {
    const bytes = Uint8Array.from(query.bytes);
    bytes.set(random.bytes(2), 0);
    const answer = await group.ask(bytes).catch(() => undefined);
    const entry: Entry = { answer, storedMs: clock.monotonicMs(), lifetimeMs: lifetimeOf(answer) * 1000 };
    if (entry.lifetimeMs > 0) cache.set(key, entry);
    return entry;
  };

  return {
    async forward(query) {
      const key = keyOf(query);
      const cached = cache.get(key);
      if (cached !== undefined && clock.monotonicMs() - cached.storedMs < cached.lifetimeMs) {
        return cached.answer && { bytes: render(cached, cached.answer, query, clock.monotonicMs()), fromCache: true };
      }
      let running = pending.get(key);
      if (running === undefined) {
        if (pending.size >= maxPending) return undefined;
        running = ask(query, key).finally(() => pending.delete(key));
        pending.set(key, running);
      }
      const entry = await running;
      return entry.answer && { bytes: render(entry, entry.answer, query, clock.monotonicMs()), fromCache: false };
    },
  };
}

/** A key of all parts of a query that may make a server answer differently. */
function keyOf({ questions: [question], flags, edns }: ReadMessage): string {
  const wishes = flags & (flag.checkingDisabled | flag.recursionDesired);
  const extension = edns === undefined ? '-' : edns.dnssecOK ? 'D' : 'E';
  return [question?.name.toLowerCase(), question?.type, question?.class, wishes, extension].join(' ');
}

/** Seconds; 0: not to be kept. */
function lifetimeOf(answer: ReadMessage | undefined): number {
  if (answer === undefined) return nobodyAnswersTTL;
  if ((answer.flags & flag.truncated) !== 0) return 0;
  if (answer.code === responseCode.SERVFAIL) return failureTTL;
  if (answer.code !== responseCode.NOERROR && answer.code !== responseCode.NXDOMAIN) return 0;
  const ttls = answer.records.filter(({ type }) => type !== recordType.OPT).map(({ ttl }) => ttl);
  const isNegative = !answer.records.some(({ section }) => section === 'answer');
  // Negative answers without SOA say nothing of how long they hold (RFC 2308, 5).
  if (isNegative && !answer.records.some(({ type }) => type === recordType.SOA)) return 0;
  return Math.min(maxTTL, Math.max(minTTL, ...(ttls.length > 0 ? [Math.min(...ttls)] : [])));
}

/** The answer with the asker's id and spelling of the name, and the TTLs that are left. */
function render(entry: Entry, answer: ReadMessage, query: ReadMessage, nowMs: number): Uint8Array {
  const bytes = Uint8Array.from(answer.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, query.id);
  if (answer.questionBytes.length === query.questionBytes.length)
    bytes.set(query.questionBytes, answer.questionBytes.byteOffset - answer.bytes.byteOffset);
  const ageSeconds = Math.floor((nowMs - entry.storedMs) / 1000);
  for (const { type, ttl, ttlOffset } of answer.records) {
    if (type !== recordType.OPT) view.setUint32(ttlOffset, Math.max(0, Math.min(maxTTL, Math.max(ttl, minTTL)) - ageSeconds));
  }
  return bytes;
}
