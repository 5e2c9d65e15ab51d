import type { Clock } from '../../../../api/base/clock.ts';
import { randomInt, type Random } from '../../../../api/base/random.ts';
import { flag, recordType } from '../message/codes.ts';
import type { ReadMessage } from '../message/read-message.ts';
import { encodeQuestion, writeMessage } from '../message/write-message.ts';
import { exchange, type Upstream } from './exchange.ts';

/** Asks one of several servers, and another one if it does not answer. */
export interface UpstreamGroup {
  /** Rejects if none answers: after a few seconds at first, at once while all are known to be down. */
  ask(query: Uint8Array): Promise<ReadMessage>;
}

interface UpstreamGroupDependencies {
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
/** A server that is down is tried again, by a query of our own, when it is needed and so long after it failed. */
const retryMs = 1000;

interface Health {
  readonly upstream: Upstream;
  failures: number;
  failedMs: number;
  isProbed: boolean;
}

export function createUpstreamGroup(dependencies: UpstreamGroupDependencies): UpstreamGroup {
  const { upstreams, clock, random, timeoutMs = defaultTimeoutMs } = dependencies;
  const healths = upstreams.map((upstream): Health => ({ upstream, failures: 0, failedMs: 0, isProbed: false }));
  const isDown = ({ failures }: Health) => failures >= maxFailures;

  const askOne = async (health: Health, query: Uint8Array): Promise<ReadMessage> => {
    try {
      const answer = await exchange(query, health.upstream, clock, timeoutMs);
      health.failures = 0;
      return answer;
    } catch (error) {
      health.failures++;
      health.failedMs = clock.monotonicMs();
      throw error;
    }
  };
  /** Probes a server while no client waits. Any answer shows that it is alive. */
  const probe = async (health: Health): Promise<void> => {
    if (health.isProbed || clock.monotonicMs() - health.failedMs < retryMs) return;
    health.isProbed = true;
    await askOne(health, rootQuery(random)).catch(() => {});
    health.isProbed = false;
  };

  return {
    async ask(query) {
      for (const health of healths) if (isDown(health)) void probe(health);
      const tried = new Set<Health>();
      let lastError: unknown = new Error('there is no upstream server that answers');
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const usable = healths.filter((health) => !isDown(health));
        // A single server is asked again: datagrams get lost.
        const fresh = usable.filter((health) => !tried.has(health));
        const pool = fresh.length > 0 ? fresh : usable;
        const chosen = pool[randomInt(random, pool.length)];
        if (chosen === undefined) break;
        tried.add(chosen);
        try {
          return await askOne(chosen, query);
        } catch (error) {
          lastError = error;
        }
      }
      throw lastError;
    },
  };
}

/** For the name servers of the root, which every resolver knows. */
function rootQuery(random: Random): Uint8Array {
  const [high = 0, low = 0] = random.bytes(2);
  const question = encodeQuestion('', recordType.NS);
  return writeMessage({ id: (high << 8) | low, flags: flag.recursionDesired, code: 0, question, maxSize: 512 });
}
