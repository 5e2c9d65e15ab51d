import type { Clock } from '../../../api/base/clock.ts';
import { getOwn, isJSONObject, type JSONObject, setOwn } from '../../../api/base/json-object.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { retryWebhook, type ReviewWebhook, WebhookError } from '../webhooks/review-webhook.ts';
import type { TokenAuthenticator } from './authenticator.ts';

interface WebhookTokenOptions {
  readonly webhook: ReviewWebhook;
  /** Of TokenReview, as the webhook expects and answers it. */
  readonly version: 'v1' | 'v1beta1';
  /** The API server's own audiences, which a token is for if the webhook names none. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The milliseconds of one call. With its repetitions a review takes no longer than the shared time of the waiting requests. */
const callTimeoutMs = 30_000;
const reviewTimeoutMs = 30_000;

/** Asks a webhook whose tokens they are, by TokenReviews. */
export function webhookTokenAuthenticator(options: WebhookTokenOptions): TokenAuthenticator {
  const { webhook, version, clock, random, logger } = options;
  const review = async (token: string, audiences: readonly string[]): Promise<JSONObject> => {
    const limit = new AbortController();
    const timer = clock.setTimer(reviewTimeoutMs, () => limit.abort(new Error('context deadline exceeded')), { background: true });
    const body = {
      kind: 'TokenReview',
      apiVersion: `authentication.k8s.io/${version}`,
      metadata: {},
      spec: { token, audiences },
      status: { user: {} },
    };
    try {
      const attempt = () => webhook.post(body, { signal: limit.signal, timeoutMs: callTimeoutMs });
      return readStatus(await retryWebhook(attempt, { clock, random, signal: limit.signal }), version);
    } finally {
      timer.cancel();
    }
  };
  return {
    async authenticateToken(token, wanted) {
      const asked = wanted.length === 0 ? options.audiences : wanted;
      const status = await review(token, asked).catch((error: unknown) => {
        logger.error('Failed to make webhook authenticator request', { error });
        throw unauthorized(error instanceof Error ? error.message : String(error));
      });
      const answered = readStrings(getOwn(status, 'audiences'));
      const audiences = asked.filter((one) => (answered.length > 0 ? answered : options.audiences).includes(one));
      if (audiences.length === 0) return undefined;
      if (getOwn(status, 'authenticated') !== true) {
        const problem = getOwn(status, 'error');
        if (typeof problem === 'string' && problem !== '') throw unauthorized(problem);
        return undefined;
      }
      return { user: readUser(getOwn(status, 'user')), audiences };
    },
  };
}

function readStatus(answer: unknown, version: string): JSONObject {
  if (!isJSONObject(answer)) throw new WebhookError("couldn't get version/kind; the answer is not an object");
  const [apiVersion, kind] = [getOwn(answer, 'apiVersion'), getOwn(answer, 'kind')];
  if (kind !== 'TokenReview' || apiVersion !== `authentication.k8s.io/${version}`)
    throw new WebhookError(
      `the webhook answered ${String(kind)} of ${String(apiVersion)}, not TokenReview of authentication.k8s.io/${version}`,
    );
  const status = getOwn(answer, 'status') ?? {};
  if (!isJSONObject(status)) throw new WebhookError('the status of the answer is not an object');
  return status;
}

function readUser(value: unknown): UserInfo {
  const user = isJSONObject(value) ? value : {};
  const [name, uid] = [getOwn(user, 'username') ?? '', getOwn(user, 'uid') ?? ''];
  if (typeof name !== 'string' || typeof uid !== 'string') throw unauthorized('the user of the answer is malformed');
  const given = getOwn(user, 'extra');
  const extra: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(isJSONObject(given) ? given : {})) setOwn(extra, key, readStrings(values));
  return {
    name,
    groups: readStrings(getOwn(user, 'groups')),
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function readStrings(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw unauthorized('the answer is malformed: not a list of strings');
  return value;
}
