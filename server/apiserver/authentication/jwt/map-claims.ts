import { getOwn, type JSONObject } from '../../../../api/base/json-object.ts';
import { valueOfJSON } from '../../../../api/cel/run/json-values.ts';
import type { CELValue } from '../../../../api/cel/types/values.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { evaluateClaimExpression, userType } from './claim-expressions.ts';
import { claimsValue, stringsOfValue } from './claims-value.ts';
import type { CompiledRule, JWTAuthenticatorConfiguration, Mapping } from './validate-configuration.ts';

/** Gives other work a turn between two expressions. */
export type Yield = () => Promise<void>;

/**
 * The user that the claims of a verified token make, by the mappings and rules of its issuer. Throws an Error with upstream's
 * message where they make none.
 */
export async function mapClaims(configuration: JWTAuthenticatorConfiguration, claims: JSONObject, pause: Yield): Promise<UserInfo> {
  const value = claimsValue(claims);
  const name = readUsername(configuration.username, claims, value);
  await pause();
  const groups = configuration.groups ? readGroups(configuration.groups, claims, value) : [];
  await pause();
  const uid = configuration.uid ? readUID(configuration.uid, claims, value) : '';
  const extra = await readExtra(configuration, claims, value, pause);
  const user: UserInfo = { name, groups, ...(uid === '' ? {} : { uid }), ...(Object.keys(extra).length === 0 ? {} : { extra }) };
  checkRequiredClaims(configuration.requiredClaims, claims);
  await checkRules(configuration.claimRules, value, 'oidc: error evaluating claim validation expression', pause);
  if (configuration.userRules.length > 0) {
    const userValue = valueOfJSON({ username: name, uid, groups, extra }, userType);
    await checkRules(configuration.userRules, userValue, 'oidc: error evaluating user info validation rule', pause);
  }
  return user;
}

function readUsername(mapping: Mapping, claims: JSONObject, value: CELValue): string {
  if ('expression' in mapping) {
    const found = within('oidc: error evaluating username claim expression', () => {
      const result = evaluateClaimExpression(mapping.expression, value);
      if (typeof result === 'string') return result;
      throw new Error('username claim expression must return a string');
    });
    if (found === '') throw new Error('oidc: empty username via CEL expression is not allowed');
    return found;
  }
  const { claim, prefix } = mapping;
  const found = within(`oidc: parse username claims ${JSON.stringify(claim)}`, () => readString(claims, claim));
  if (claim === 'email' && Object.hasOwn(claims, 'email_verified')) {
    const isVerified = within("oidc: parse 'email_verified' claim", () => readBoolean(claims, 'email_verified'));
    if (!isVerified) throw new Error('oidc: email not verified');
  }
  return prefix + found;
}

function readGroups(mapping: Mapping, claims: JSONObject, value: CELValue): readonly string[] {
  if ('expression' in mapping)
    return within('oidc: error evaluating group claim expression', () =>
      stringsOfValue(evaluateClaimExpression(mapping.expression, value)),
    );
  const { claim, prefix } = mapping;
  if (!Object.hasOwn(claims, claim)) return [];
  const given = getOwn(claims, claim);
  const list = Array.isArray(given) ? (given as readonly unknown[]) : undefined;
  if (list?.every((one) => typeof one === 'string' || one === null) === true)
    return list.map((one) => `${prefix}${one === null ? '' : String(one)}`);
  if (given === null) return [];
  return [prefix + within(`oidc: parse groups claim ${JSON.stringify(claim)}`, () => readString(claims, claim))];
}

function readUID(mapping: Mapping, claims: JSONObject, value: CELValue): string {
  if (!('expression' in mapping))
    return within(`oidc: parse uid claim ${JSON.stringify(mapping.claim)}`, () => readString(claims, mapping.claim));
  return within('oidc: error evaluating uid claim expression', () => {
    const result = evaluateClaimExpression(mapping.expression, value);
    if (typeof result === 'string') return result;
    throw new Error('uid claim expression must return a string');
  });
}

async function readExtra(
  { extra }: JWTAuthenticatorConfiguration,
  claims: JSONObject,
  value: CELValue,
  pause: Yield,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, readonly string[]> = {};
  const id = getOwn(claims, 'jti');
  if (typeof id === 'string' && id !== '') found['authentication.kubernetes.io/credential-id'] = [`JTI=${id}`];
  for (const { key, expression } of extra) {
    await pause();
    const result = evaluateClaimExpression(expression, value);
    const values = within(`oidc: error evaluating extra claim expression: ${expression.source}`, () => stringsOfValue(result));
    if (values.length > 0) found[key] = values;
  }
  return found;
}

function checkRequiredClaims(required: ReadonlyMap<string, string>, claims: JSONObject): void {
  for (const [claim, expected] of required) {
    if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: required claim ${claim} not present in ID token`);
    const found = within(`oidc: parse claim ${claim}`, () => readString(claims, claim));
    if (found !== expected) throw new Error(`oidc: required claim ${claim} value does not match. Got = ${found}, want = ${expected}`);
  }
}

async function checkRules(rules: readonly CompiledRule[], value: CELValue, what: string, pause: Yield): Promise<void> {
  for (const { expression, message } of rules) {
    await pause();
    const result = within(what, () => evaluateClaimExpression(expression, value));
    if (result !== true) throw new Error(`${what}: validation expression '${expression.source}' failed: ${message}`);
  }
}

/** The text of a claim as Go's decoder of JSON reads it: null is the empty string. */
function readString(claims: JSONObject, claim: string): string {
  if (!Object.hasOwn(claims, claim)) throw new Error('claim not present');
  const value = claims[claim];
  if (typeof value === 'string') return value;
  if (value === null) return '';
  throw new Error(`json: cannot unmarshal ${typeOf(value)} into Go value of type string`);
}

function readBoolean(claims: JSONObject, claim: string): boolean {
  const value = claims[claim];
  if (typeof value === 'boolean') return value;
  if (value === null) return false;
  throw new Error(`json: cannot unmarshal ${typeOf(value)} into Go value of type bool`);
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function within<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
