import type { APIResponse } from '../../../api/client/transport.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { HealthMetrics } from '../metrics/health-metrics.ts';
import { plainResponse } from '../responses/error-response.ts';
import type { RequestContext } from '../request/request-context.ts';

/** A health check. `check` throws, or rejects, with the problem. */
export interface HealthCheck {
  readonly name: string;
  check(signal: AbortSignal): Promise<void> | void;
  /** The endpoints that run the check; healthz runs all checks of livez. Default: both. */
  readonly only?: 'livez' | 'readyz';
  /** Listed after all others. */
  readonly isLast?: boolean;
}

/** The checks of /healthz, /livez and /readyz, in order. */
export interface HealthEndpoint {
  add(check: HealthCheck): void;
  /** Paths of all checks. */
  paths(): string[];
  /** undefined: no such check. */
  answer(context: RequestContext): Promise<APIResponse | undefined>;
}

type Root = 'healthz' | 'livez' | 'readyz';

const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

export function createHealth(logger: Logger, metrics: HealthMetrics): HealthEndpoint {
  const checks: HealthCheck[] = [
    { name: 'ping', check() {} },
    { name: 'log', check() {} },
  ];
  const checksOf = (root: Root) => {
    const asked = checks.filter(({ only }) => only === undefined || only === (root === 'readyz' ? 'readyz' : 'livez'));
    return [...asked.filter(({ isLast }) => isLast !== true), ...asked.filter(({ isLast }) => isLast === true)];
  };
  return {
    add: (check) => void checks.push(check),
    paths: () =>
      (['healthz', 'livez', 'readyz'] as const).flatMap((root) => [`/${root}`, ...checksOf(root).map(({ name }) => `/${root}/${name}`)]),
    async answer(context) {
      const [root, ...rest] = context.info.path.slice(1).split('/');
      if (root !== 'healthz' && root !== 'livez' && root !== 'readyz') return undefined;
      if (rest.length > 0) return answerOne(checksOf(root), rest.join('/'), context);
      return answerAll(root, checksOf(root), context, { logger, metrics });
    },
  };
}

async function answerOne(checks: readonly HealthCheck[], name: string, context: RequestContext): Promise<APIResponse | undefined> {
  const check = checks.find((candidate) => candidate.name === name);
  if (!check) return undefined;
  const failure = await failureOf(check, context.signal);
  return failure === undefined ? plainResponse(200, 'ok', headers) : plainResponse(500, `internal server error: ${failure}\n`, headers);
}

async function answerAll(
  root: Root,
  checks: readonly HealthCheck[],
  context: RequestContext,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: HealthMetrics },
): Promise<APIResponse> {
  const excluded = new Set(context.query.getAll('exclude').filter((name) => name !== ''));
  const lines: string[] = [];
  const failures: Record<string, string> = {};
  const results = await Promise.all(
    checks.map(async (check) => ({ check, failure: excluded.has(check.name) ? undefined : await failureOf(check, context.signal) })),
  );
  for (const { check, failure } of results) {
    if (!excluded.has(check.name)) metrics.checked(check.name, root, failure === undefined);
    if (excluded.delete(check.name)) lines.push(`[+]${check.name} excluded: ok`);
    else if (failure === undefined) lines.push(`[+]${check.name} ok`);
    else {
      // Why is for the log: anyone may ask for this page.
      lines.push(`[-]${check.name} failed: reason withheld`);
      failures[check.name] = failure;
    }
  }
  if (excluded.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map(quote).join(', ')}`);
  if (Object.keys(failures).length > 0) {
    // The checks of a client that has disconnected fail for that reason.
    if (!context.signal.aborted) logger.warn(`${root} check failed`, { failures });
    return plainResponse(500, `${[...lines, `${root} check failed`].join('\n')}\n`, headers);
  }
  if (context.query.get('verbose') === null) return plainResponse(200, 'ok', headers);
  return plainResponse(200, `${[...lines, `${root} check passed`].join('\n')}\n`, headers);
}

async function failureOf({ check }: HealthCheck, signal: AbortSignal): Promise<string | undefined> {
  try {
    await check(signal);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
