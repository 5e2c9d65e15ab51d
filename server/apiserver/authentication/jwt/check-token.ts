import { type JSONObject, getOwn } from '../../../../api/base/json-object.ts';
import { quote } from '../../../../api/base/quote.ts';
import { formatTime } from '../../../../api/meta/time.ts';

/** A clock that is behind by so much does not refuse tokens of now. */
const notBeforeLeewayMs = 5 * 60_000;

/**
 * The problem with the audience or the times of a token, in upstream's words; undefined: there is none. `iat` is not looked at,
 * and `exp` has to be there.
 */
export function findTokenProblem(claims: JSONObject, audiences: readonly string[], nowMs: number): string | undefined {
  const given = readAudiences(getOwn(claims, 'aud'));
  if (given === undefined) return 'oidc: failed to unmarshal claims: aud is neither a string nor a list of strings';
  const formatList = (list: readonly string[]) => `[${list.map(quote).join(' ')}]`;
  if (!given.some((audience) => audiences.includes(audience))) {
    const [only = ''] = audiences;
    const expected = audiences.length > 1 ? `in ${formatList(audiences.toSorted())}` : quote(only);
    return `oidc: expected audience ${expected} got ${formatList(given)}`;
  }
  const [expiry, notBefore] = [readSeconds(getOwn(claims, 'exp')), readSeconds(getOwn(claims, 'nbf'))];
  if (expiry === 'malformed' || notBefore === 'malformed') return 'oidc: failed to unmarshal claims: exp or nbf is not a number';
  if (expiry === undefined || expiry * 1000 < nowMs) return `oidc: token is expired (Token Expiry: ${formatSeconds(expiry)})`;
  if (notBefore !== undefined && nowMs + notBeforeLeewayMs < notBefore * 1000)
    return `oidc: current time ${formatTime(nowMs)} before the nbf (not before) time: ${formatSeconds(notBefore)}`;
  return undefined;
}

function readAudiences(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return list.every((one) => typeof one === 'string') ? list : undefined;
}

/** Seconds since the epoch: a number, or the text of one. */
function readSeconds(value: unknown): number | undefined | 'malformed' {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Math.trunc(Number(value));
  return typeof value === 'number' ? Math.trunc(value) : 'malformed';
}

function formatSeconds(seconds: number | undefined): string {
  if (seconds === undefined || Math.abs(seconds) > 8_640_000_000_000) return '0001-01-01 00:00:00 +0000 UTC';
  return formatTime(seconds * 1000);
}
