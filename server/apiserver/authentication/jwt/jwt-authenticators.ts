import { type Clock, sleep } from '../../../../api/base/clock.ts';
import { unauthorized } from '../../../../api/meta/status-errors.ts';
import type { TokenAuthenticator } from '../authenticator.ts';
import { createJWTAuthenticator, type JWTAuthenticator, type JWTDependencies, type SigningAlgorithm } from './jwt-authenticator.ts';
import { parseToken } from './parse-token.ts';
import type { JWTAuthenticatorConfiguration } from './validate-configuration.ts';

interface JWTAuthenticatorsOptions extends JWTDependencies {
  /** The API server's own audiences, which every accepted token is good for. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly SigningAlgorithm[];
}

/** Authenticates the tokens of all configured issuers. */
export interface JWTAuthenticators extends TokenAuthenticator {
  /**
   * Replaces the configuration as soon as all of its issuers have answered. Rejects, and keeps the previous one, if they have not within a
   * minute.
   */
  update(configurations: readonly JWTAuthenticatorConfiguration[]): Promise<void>;
  /** Ends running requests. */
  close(): void;
}

interface Generation {
  readonly byIssuer: ReadonlyMap<string, JWTAuthenticator>;
  readonly stop: AbortController;
}

const updateTimeoutMs = 60_000;
const checkMs = 1000;
/** Requests that have begun with replaced authenticators may finish with them. */
const replacedForMs = 60_000;

/** Begins with the configurations at once: tokens of issuers that have not answered yet are refused. */
export function createJWTAuthenticators(
  configurations: readonly JWTAuthenticatorConfiguration[],
  options: JWTAuthenticatorsOptions,
): JWTAuthenticators {
  const { clock, metrics } = options;
  const closing = new AbortController();
  const begin = (wanted: readonly JWTAuthenticatorConfiguration[]): Generation => {
    const stop = new AbortController();
    const made = wanted.map((one) => createJWTAuthenticator(one, options.algorithms, options));
    for (const one of made) void one.run(stop.signal);
    return { byIssuer: new Map(made.map((one) => [one.issuer, one])), stop };
  };
  let current = begin(configurations);
  return {
    async authenticateToken(text, audiences) {
      if (current.byIssuer.size === 0) return undefined;
      const token = parseToken(text);
      const authenticator = token && current.byIssuer.get(token.issuer);
      if (!authenticator) return undefined;
      const granted = audiences.length === 0 ? [...options.audiences] : audiences.filter((one) => options.audiences.includes(one));
      if (granted.length === 0) return undefined;
      try {
        return { user: await authenticator.authenticate(token), audiences: granted };
      } catch (error) {
        throw unauthorized(error instanceof Error ? error.message : String(error));
      }
    },
    async update(wanted) {
      const next = begin(wanted);
      try {
        await untilReady(next, clock, closing.signal);
      } catch (error) {
        next.stop.abort(new Error('the configuration is not used'));
        throw error;
      }
      const before = current;
      current = next;
      for (const issuer of before.byIssuer.keys()) if (!next.byIssuer.has(issuer)) metrics.forgetKeys(issuer);
      clock.setTimer(replacedForMs, () => before.stop.abort(new Error('the configuration was replaced')), { background: true });
    },
    close() {
      closing.abort(new Error('the API server is shutting down'));
      current.stop.abort(closing.signal.reason);
    },
  };
}

async function untilReady({ byIssuer }: Generation, clock: Clock, signal: AbortSignal): Promise<void> {
  const endMs = clock.monotonicMs() + updateTimeoutMs;
  for (let waitMs = 50; ; waitMs = Math.min(checkMs, waitMs * 2)) {
    const problems = [...byIssuer.values()].flatMap(({ problem }) => problem ?? []);
    if (problems.length === 0) return;
    if (clock.monotonicMs() >= endMs) throw new Error(`${problems.join(', ')}: context deadline exceeded`);
    await sleep(clock, waitMs, signal);
  }
}
