import type { Clock } from '../../../api/base/clock.ts';
import type { LoopWatch } from '../../../api/base/loop-watch.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { AccessMetrics } from '../metrics/access-metrics.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Filter, Handler, RequestInfo } from '../request/request-context.ts';
import { audit, type AuditOptions, failedAuthenticationAudit } from './audit.ts';
import { auditID } from './audit-id.ts';
import { authentication } from './authentication.ts';
import { authorization } from './authorization.ts';
import { cacheControl } from './cache-control.ts';
import { compression } from './compression.ts';
import { errorRecovery } from './error-recovery.ts';
import { impersonation } from './impersonation.ts';
import { loopWork } from './loop-work.ts';
import { priorityAndFairness, type PriorityAndFairnessOptions } from './priority-and-fairness.ts';
import { requestBody } from './request-body.ts';
import { requestMetrics } from './request-metrics.ts';
import { requestTimeout } from './request-timeout.ts';
import { routing } from './routing.ts';
import { type ShutdownGate, shutdownGate } from './shutdown-gate.ts';
import { warningHeaders } from './warnings.ts';
import type { RequestMetrics } from '../metrics/request-metrics.ts';

export interface ChainDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Whether requests without any credential to that path are served as system:anonymous. */
  allowsAnonymous(path: string): boolean;
  readonly flowControl: Omit<PriorityAndFairnessOptions, 'requestTimeoutMs'>;
  readonly requestTimeoutMs: number;
  readonly metrics: RequestMetrics;
  readonly access: AccessMetrics;
  readonly gate: ShutdownGate;
  /** Called when work begins. */
  readonly loop?: Pick<LoopWatch, 'begins'>;
  /** Absent: nothing is audited. */
  readonly audit?: AuditOptions;
  /** The definition of the resource that a request is about; undefined if it is not served. */
  findDefinition(info: RequestInfo): ResourceDefinition | undefined;
  /** Whether another API server answers a request. */
  isDelegated(info: RequestInfo): boolean;
}

/** The filters that every request passes on its way to its endpoint: the written list, outermost first. */
export function createHandlerChain(dependencies: ChainDependencies, endpoint: Handler): Handler {
  const { authenticator, authorizer, flowControl, metrics, access, requestTimeoutMs, logger } = dependencies;
  const { allowsAnonymous } = dependencies;
  const begins: readonly Filter[] = dependencies.loop ? [loopWork(dependencies.loop)] : [];
  const filters: readonly Filter[] = [
    ...begins,
    auditID(dependencies.random),
    cacheControl,
    compression,
    requestMetrics(metrics),
    warningHeaders,
    errorRecovery(logger),
    shutdownGate(dependencies.gate),
    requestTimeout(requestTimeoutMs),
    failedAuthenticationAudit(dependencies.audit),
    authentication({ authenticator, allowsAnonymous, metrics: access, logger }),
    audit(dependencies.audit),
    routing(dependencies.findDefinition, dependencies.isDelegated),
    impersonation(authorizer),
    priorityAndFairness({ ...flowControl, requestTimeoutMs }),
    authorization(authorizer, access),
    requestBody,
    ...begins,
  ];
  return filters.reduceRight<Handler>((next, filter) => filter(next), endpoint);
}
