import { type JSONObject, getOwn, isJSONObject } from '../../../../api/base/json-object.ts';
import { quote } from '../../../../api/base/quote.ts';
import { formatTime } from '../../../../api/meta/time.ts';

/** A clock that is behind by so much does not refuse tokens of now. */
const notBeforeLeewayMs = 60_000;

/**
 * The problem with the audience or the times of a token, in upstream's words; undefined: there is none. `iat` is not looked at,
 * and `exp` has to be there.
 */
export function findTokenProblem(claims: JSONObject, audiences: readonly string[], nowMs: number): string | undefined {
  const sources = findSourceProblem(claims);
  if (sources !== undefined) return sources;
  const subject = getOwn(claims, 'sub') ?? '';
  if (typeof subject !== 'string') return mismatch('sub', subject, 'string');
  const audience = getOwn(claims, 'aud');
  const given = readAudiences(audience);
  if (given === undefined) return mismatch('aud', audience, '[]string');
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
    return `oidc: current time ${formatSeconds(Math.trunc(nowMs / 1000))} before the nbf (not before) time: ${formatSeconds(notBefore)}`;
  return undefined;
}

/** The problem with claims that are kept elsewhere, judged as upstream does: all of them, whether they are needed or not. */
function findSourceProblem(claims: JSONObject): string | undefined {
  const [names, sources] = [getOwn(claims, '_claim_names') ?? {}, getOwn(claims, '_claim_sources') ?? {}];
  if (!isJSONObject(names) || !isJSONObject(sources))
    return 'oidc: failed to unmarshal claims: _claim_names and _claim_sources are objects';
  for (const source of Object.values(names)) {
    if (typeof source !== 'string') return 'oidc: failed to unmarshal claims: _claim_names is not an object of strings';
    if (source === '') return 'oidc: failed to obtain source from claim name';
    if (!Object.hasOwn(sources, source)) return 'oidc: source does not exist';
  }
  return undefined;
}

function readAudiences(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  if (value === null) return [''];
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return list.every((one) => typeof one === 'string') ? list : undefined;
}

/** The message of Go's decoder for a claim of another type. */
function mismatch(claim: string, value: unknown, type: string): string {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `oidc: failed to unmarshal claims: json: cannot unmarshal ${found} into Go struct field idToken.${claim} of type ${type}`;
}

/** Parses seconds since the epoch: a number, or its text. */
function readSeconds(value: unknown): number | undefined | 'malformed' {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Math.trunc(Number(value));
  return typeof value === 'number' ? Math.trunc(value) : 'malformed';
}

/** Seconds as Go writes times. */
function formatSeconds(seconds: number | undefined): string {
  const isShown = seconds !== undefined && Math.abs(seconds) <= 8_640_000_000_000;
  return isShown ? formatTime(seconds * 1000).replace(/^(\S+)T(\S+)Z$/, '$1 $2 +0000 UTC') : '0001-01-01 00:00:00 +0000 UTC';
}
