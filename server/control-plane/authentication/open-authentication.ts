import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import { isEqual } from '../../../api/base/equality.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { formatFieldErrors, forbidden } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { AnonymousAccess } from '../../apiserver/authentication/anonymous.ts';
import type { TokenAuthenticator } from '../../apiserver/authentication/authenticator.ts';
import { createJWTAuthenticators, type JWTAuthenticators } from '../../apiserver/authentication/jwt/jwt-authenticators.ts';
import { createJWTMetrics, type JWTMetrics } from '../../apiserver/authentication/jwt/jwt-metrics.ts';
import { validateAuthenticationConfiguration } from '../../apiserver/authentication/jwt/validate-configuration.ts';
import { cachedTokenAuthenticator } from '../../apiserver/authentication/token-cache.ts';
import { webhookTokenAuthenticator } from '../../apiserver/authentication/webhook-token.ts';
import type { MetricFamilies } from '../../apiserver/metric-families.ts';
import { type FileContent, followFiles } from '../../files/follow-files.ts';
import { createReviewWebhook } from '../webhook/create-review-webhook.ts';
import { createIssuerClient } from './issuer-client.ts';
import { type AuthenticationFlags, type AuthenticationPlan, loadConfiguration, planAuthentication } from './plan-authentication.ts';

export interface OpenAuthenticationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The API server's own audiences. */
  readonly audiences: readonly string[];
  /** The issuers of service account tokens; external issuers may not have these names. */
  readonly serviceAccountIssuers: readonly string[];
  /** Whether anonymous requests are accepted if neither flag nor file decides. Absent: yes. */
  readonly anonymousByDefault?: boolean;
  /** The identity of this API server, in metrics. */
  readonly serverId: string;
}

/** Authentication that flags ask for: by tokens of issuers and of a webhook, and of requests without credentials. */
export interface OpenedAuthentication {
  /** In the order in which they are asked. */
  readonly remoteTokens: readonly TokenAuthenticator[];
  readonly anonymous: AnonymousAccess;
  countIn(families: MetricFamilies): void;
  close(): Promise<void>;
}

/** How long a token that was found good stays good in the cache of all tokens. */
const overallTTLMs = 10_000;

/** Opens the authentication that the flags configure. Rejects with the error in the flags or their files. */
export async function openAuthentication(flags: AuthenticationFlags, options: OpenAuthenticationOptions): Promise<OpenedAuthentication> {
  const { clock, logger, audiences } = options;
  const { authenticationConfig: file } = flags;
  const configuration = file === undefined ? undefined : await readConfiguration(file);
  const oidcCA = flags.oidcCaFile === undefined ? undefined : await readFile(flags.oidcCaFile, 'utf8');
  const files = { ...(configuration ? { configuration } : {}), ...(oidcCA === undefined ? {} : { oidcCA }) };
  const plan = planAuthentication(flags, files, {
    disallowedIssuers: options.serviceAccountIssuers,
    anonymousByDefault: options.anonymousByDefault ?? true,
  });
  const webhook = await openWebhook(plan, options);
  const metrics = createJWTMetrics(clock, options.serverId);
  const jwt = createJWTAuthenticators(plan.jwt, {
    ...{ clock, logger, metrics, audiences, algorithms: plan.algorithms },
    createClient: (certificateAuthority) => createIssuerClient(certificateAuthority, clock),
    pause: () => new Promise((resolve) => void setImmediate(resolve)),
  });
  const closing = new AbortController();
  const following =
    file === undefined || !configuration
      ? Promise.resolve()
      : followConfiguration({ ...{ file, configuration, plan, jwt, metrics }, ...options }, closing.signal);
  return {
    remoteTokens: [jwt, ...(webhook ? [webhook.tokens] : [])],
    anonymous: plan.anonymous,
    countIn: (families) => metrics.countIn(families),
    async close() {
      closing.abort();
      jwt.close();
      webhook?.close();
      await following;
    },
  };
}

async function readConfiguration(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((error: Error) => {
    throw new Error(`failed to load authentication configuration from file ${JSON.stringify(file)}: ${error.message}`, { cause: error });
  });
}

async function openWebhook({ webhook }: AuthenticationPlan, { clock, random, logger, audiences }: OpenAuthenticationOptions) {
  if (!webhook) return undefined;
  const { kubeconfig, version, cacheTTLMs } = webhook;
  const client = await createReviewWebhook(kubeconfig, { clock }).catch((error: Error) => {
    throw new Error(`--authentication-token-webhook-config-file ${kubeconfig}: ${error.message}`, { cause: error });
  });
  if (cacheTTLMs > 0 && cacheTTLMs < overallTTLMs)
    logger.warn('the webhook cache ttl is shorter than the overall cache ttl for successful token authentication attempts', {
      webhookTTLSeconds: cacheTTLMs / 1000,
      overallTTLSeconds: overallTTLMs / 1000,
    });
  const tokens = webhookTokenAuthenticator({ webhook: client, version, audiences, clock, random, logger });
  return {
    tokens: cachedTokenAuthenticator(tokens, { clock, successTTLMs: cacheTTLMs, failureTTLMs: cacheTTLMs }),
    close: () => client.close(),
  };
}

interface FollowOptions extends OpenAuthenticationOptions {
  readonly file: string;
  /** The content of the file that is in use. */
  readonly configuration: Uint8Array;
  readonly plan: AuthenticationPlan;
  readonly jwt: JWTAuthenticators;
  readonly metrics: JWTMetrics;
}

/** Takes over changes of the file; issuers that do not answer are asked again with the same content, a wrong content is not. */
function followConfiguration(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { file, configuration, plan, jwt, metrics, clock, logger } = options;
  metrics.configured(configuration);
  const refuse = (message: string, error: unknown) => {
    logger.error(message, { file, error });
    metrics.reloaded('failure');
  };
  const apply = async ([content]: readonly FileContent[]) => {
    if (content === undefined) throw new Error(`open ${file}: no such file or directory`);
    let fields;
    try {
      fields = loadConfiguration(content, file);
    } catch (error) {
      return refuse('failed to load authentication config', error);
    }
    const validated = validateAuthenticationConfiguration(fields, options.serviceAccountIssuers);
    const errors = [...validated.errors];
    if (!isEqual(plan.anonymousFields, fields.anonymous))
      errors.push(forbidden(FieldPath.root.child('anonymous'), 'changed from initial configuration file'));
    if (errors.length > 0) return refuse('failed to validate authentication config', new Error(formatFieldErrors(errors)));
    await jwt.update(validated.jwt);
    logger.info('reloaded authentication config', { file });
    metrics.configured(content);
    metrics.reloaded('success');
  };
  const onFailure = () => metrics.reloaded('failure');
  return followFiles([file], { clock, logger, what: 'authentication config', known: [configuration], apply, onFailure }, signal);
}
