import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Filter, Handler } from '../request-context.ts';
import { auditID } from './audit-id.ts';
import { authentication } from './authentication.ts';
import { authorization } from './authorization.ts';
import { cacheControl } from './cache-control.ts';
import { compression } from './compression.ts';
import { concurrencyLimit, type ConcurrencyLimits } from './concurrency-limit.ts';
import { errorRecovery } from './error-recovery.ts';
import { impersonation } from './impersonation.ts';
import { requestMetrics, type RequestMetrics } from './request-metrics.ts';
import { requestTimeout } from './request-timeout.ts';
import { type ShutdownGate, shutdownGate } from './shutdown-gate.ts';
import { warningHeaders } from './warnings.ts';

export interface ChainDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly allowAnonymous: boolean;
  readonly limits: ConcurrencyLimits;
  readonly requestTimeoutMs: number;
  readonly metrics: RequestMetrics;
  readonly gate: ShutdownGate;
}

/** What every request passes on its way to its endpoint: the written list, outermost first. */
export function createHandlerChain(dependencies: ChainDependencies, endpoint: Handler): Handler {
  const { authenticator, authorizer, allowAnonymous, limits, metrics } = dependencies;
  const filters: readonly Filter[] = [
    auditID(dependencies.random),
    cacheControl,
    compression,
    requestMetrics(metrics),
    warningHeaders,
    errorRecovery(dependencies.logger),
    shutdownGate(dependencies.gate),
    requestTimeout(dependencies.requestTimeoutMs),
    authentication({ authenticator, allowAnonymous }),
    impersonation(authorizer),
    concurrencyLimit(limits, metrics.inflight),
    authorization(authorizer),
  ];
  return filters.reduceRight<Handler>((next, filter) => filter(next), endpoint);
}
