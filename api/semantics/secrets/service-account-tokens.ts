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

/** Says in `since` from which day on uses are noted: before that, nobody can tell whether a token was used. */
export const tokenTrackingKey = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' };

/** The day of a time, in UTC, e.g. 2026-06-01. */
export function formatDay(ms: number): string {
  return formatTime(ms).slice(0, 10);
}

/** When a day begins, as formatDay writes it; undefined for what is none. */
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
