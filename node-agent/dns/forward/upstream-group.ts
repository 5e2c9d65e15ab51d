import type { Clock } from '../../../api/base/clock.ts';
import { randomInt, type Random } from '../../../api/base/random.ts';
import type { ReadMessage } from '../message/read-message.ts';
import { exchange, type Upstream } from './exchange.ts';

/** Asks one of several servers, and another if it does not answer. */
export interface UpstreamGroup {
  /** Rejects if none answers: after a few seconds at first, at once while all are known to be down. */
  ask(query: Uint8Array): Promise<ReadMessage>;
}

export interface UpstreamGroupDependencies {
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  /** Per attempt, of which there are two: clients commonly wait for five seconds. Default 2000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 2000;
const maxAttempts = 2;
/** Failures in a row after which a server is taken to be down. */
const maxFailures = 2;
/** A server that is down is tried by one query at a time, so long after the last has failed. */
const retryMs = 1000;

interface Health {
  readonly upstream: Upstream;
  failures: number;
  failedMs: number;
  isProbed: boolean;
}

export function createUpstreamGroup({ upstreams, clock, random, timeoutMs = defaultTimeoutMs }: UpstreamGroupDependencies): UpstreamGroup {
  const healths = upstreams.map((upstream): Health => ({ upstream, failures: 0, failedMs: 0, isProbed: false }));
  const isDown = ({ failures }: Health) => failures >= maxFailures;
  const mayAsk = (health: Health) => !isDown(health) || (!health.isProbed && clock.monotonicMs() - health.failedMs >= retryMs);

  return {
    async ask(query) {
      const tried = new Set<Health>();
      let lastError: unknown = new Error('there is no upstream server that answers');
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        // A single server is asked again: datagrams get lost.
        const fresh = healths.filter((health) => !tried.has(health) && mayAsk(health));
        const candidates = fresh.length > 0 ? fresh : healths.filter(mayAsk);
        const alive = candidates.filter(({ failures }) => failures === 0);
        const pool = alive.length > 0 ? alive : candidates;
        const chosen = pool[randomInt(random, pool.length)];
        if (chosen === undefined) break;
        tried.add(chosen);
        const isProbe = isDown(chosen);
        if (isProbe) chosen.isProbed = true;
        try {
          const answer = await exchange(query, chosen.upstream, clock, timeoutMs);
          chosen.failures = 0;
          return answer;
        } catch (error) {
          chosen.failures++;
          chosen.failedMs = clock.monotonicMs();
          lastError = error;
        } finally {
          if (isProbe) chosen.isProbed = false;
        }
      }
      throw lastError;
    },
  };
}
