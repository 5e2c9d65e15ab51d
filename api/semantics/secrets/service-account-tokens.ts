import { findTime, formatTime } from '../../meta/time.ts';

/**
 * Secrets of type kubernetes.io/service-account-token: how service accounts got tokens before TokenRequest, and still do for
 * whoever makes such a Secret. The token does not expire; it lasts as long as the Secret and the account do.
 */
export const serviceAccountNameAnnotation = 'kubernetes.io/service-account.name';
export const serviceAccountUIDAnnotation = 'kubernetes.io/service-account.uid';
/** Day on which its token was last shown, e.g. 2026-06-01. */
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
/** With it a token is believed no more. */
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

/** The ConfigMap whose `since` is the day from which uses of tokens are recorded. Whether a token was used before that day is unknown. */
export const tokenTrackingKey = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' };

/** The day of a time, in UTC, e.g. 2026-06-01. */
export function formatDay(ms: number): string {
  return formatTime(ms).slice(0, 10);
}

/** The start of a day in the format of formatDay; undefined for another text. */
export function findDay(text: string | undefined): number | undefined {
  const ms = findTime(`${text}T00:00:00Z`);
  return ms === undefined || formatDay(ms) !== text ? undefined : ms;
}

/** The claims of such a token. */
export interface SecretTokenClaims {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
}

export type SignSecretToken = (claims: SecretTokenClaims) => Promise<string>;
