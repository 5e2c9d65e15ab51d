import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import { formatDuration, parseDurationMs } from '../../../api/meta/duration.ts';
import { duplicate, type FieldError, formatFieldErrors, invalid, notSupported, required } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import { decodeConfiguration } from '../configuration/decode-configuration.ts';
import { authorizationConfigurationKind } from './configuration-schema.ts';
import { compileMatchConditions, type MatchCondition } from './match-conditions.ts';

export const authorizerTypes = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const;

/** Authorizers that are part of the server. */
export type BuiltInType = 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC';

export interface WebhookSettings {
  /** 0: answers are not cached. */
  readonly authorizedTTLMs: number;
  readonly unauthorizedTTLMs: number;
  readonly timeoutMs: number;
  readonly reviewVersion: 'v1' | 'v1beta1';
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  readonly kubeConfigFile: string;
  readonly matchConditions: readonly MatchCondition[];
}

/** One element of `authorizers`. */
export type AuthorizerConfiguration =
  | { readonly type: BuiltInType; readonly name: string }
  | { readonly type: 'Webhook'; readonly name: string; readonly webhook: WebhookSettings };

interface ReadConfigurationOptions {
  /** The error of a file that is named as kubeconfig, in the words of the message; undefined for a regular file. */
  findFileProblem(path: string): string | undefined;
  /** Types besides Webhook that have to be in it: those that the server has been started with. */
  readonly requiredTypes?: readonly string[];
}

/**
 * Reads an AuthorizationConfiguration (apiserver.config.k8s.io) with upstream's rules and defaults. Throws an Error with all
 * that is wrong with it.
 */
export function readAuthorizationConfiguration(bytes: Uint8Array, options: ReadConfigurationOptions): AuthorizerConfiguration[] {
  const entries = decodeEntries(bytes);
  const { authorizers, errors } = readAuthorizers(entries, options);
  if (errors.length > 0) throw new Error(formatFieldErrors(errors));
  const problems = authorizers.flatMap(({ type, name }) => {
    const expected = nameOfBuiltIn(type);
    return type === 'Webhook' || name === expected ? [] : [`expected name ${expected} for authorizer ${type} instead of ${name}`];
  });
  const missing = (options.requiredTypes ?? []).filter((type) => !authorizers.some((one) => one.type === type)).toSorted();
  if (missing.length > 0) problems.push(`missing required types: [${missing.join(' ')}]`);
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  return authorizers;
}

/** The name that an authorizer of the server itself has. */
export function nameOfBuiltIn(type: string): string {
  return type.toLowerCase();
}

function decodeEntries(bytes: Uint8Array): JSONObject[] {
  try {
    const { object } = decodeConfiguration(bytes, authorizationConfigurationKind);
    const entries = Array.isArray(object['authorizers']) ? object['authorizers'].filter(isJSONObject) : [];
    // Durations are parsed here, because an error in one is an error of the file and not of a field.
    for (const { webhook } of entries)
      for (const field of ['authorizedTTL', 'unauthorizedTTL', 'timeout']) durationOf(isJSONObject(webhook) ? webhook : {}, field);
    return entries;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to load AuthorizationConfiguration from file: ${message}`, { cause: error });
  }
}

function durationOf(fields: JSONObject, field: string): number {
  const text = fields[field];
  return typeof text === 'string' ? parseDurationMs(text) : 0;
}

const textOf = (fields: JSONObject, field: string): string => {
  const text = fields[field];
  return typeof text === 'string' ? text : '';
};

interface Seen {
  readonly types: Set<string>;
  readonly names: Set<string>;
}

function readAuthorizers(
  entries: readonly JSONObject[],
  options: ReadConfigurationOptions,
): { readonly authorizers: AuthorizerConfiguration[]; readonly errors: FieldError[] } {
  const root = FieldPath.root.child('authorizers');
  const errors: FieldError[] = [];
  if (entries.length === 0) errors.push(required(root, 'at least one authorization mode must be defined'));
  const seen: Seen = { types: new Set(), names: new Set() };
  const authorizers = entries.flatMap((entry, index): AuthorizerConfiguration[] => {
    const at = root.index(index);
    const type = findType(entry, at, seen, errors);
    if (type === undefined) return [];
    const name = textOf(entry, 'name');
    errors.push(...nameErrors(name, at.child('name'), seen));
    seen.names.add(name);
    const webhook = isJSONObject(entry['webhook']) ? entry['webhook'] : undefined;
    if (type !== 'Webhook') {
      if (webhook) errors.push(invalid(at.child('webhook'), 'non-null', 'may only be specified when type=Webhook'));
      return [{ type, name }];
    }
    if (!webhook) {
      errors.push(required(at.child('webhook'), 'required when type=Webhook'));
      return [];
    }
    const settings = readWebhook(webhook, at, options, errors);
    return [{ type, name, webhook: settings }];
  });
  return { authorizers, errors };
}

function findType(entry: JSONObject, at: FieldPath, seen: Seen, errors: FieldError[]): BuiltInType | 'Webhook' | undefined {
  const text = textOf(entry, 'type');
  const path = at.child('type');
  const type = authorizerTypes.find((known) => known === text);
  if (text === '') errors.push(required(path));
  else if (type === undefined) errors.push(notSupported(path, text, authorizerTypes));
  else if (type === 'ABAC') errors.push(invalid(path, text, abacProblem));
  else if (type !== 'Webhook' && seen.types.has(type)) errors.push(duplicate(path, type));
  else {
    seen.types.add(type);
    return type;
  }
  return undefined;
}

/** Why there is no ABAC; its policies are files that only a restart reads. */
export const abacProblem = 'ABAC policy files are not supported, use RBAC or a webhook';

function nameErrors(name: string, path: FieldPath, { names }: Seen): FieldError[] {
  if (name === '') return [required(path)];
  if (names.has(name)) return [duplicate(path, name)];
  const problems = dns1123SubdomainProblems(name);
  return problems.length === 0 ? [] : [invalid(path, name, `authorizer name is invalid: ${problems.join(', ')}`)];
}

const reviewVersions = ['v1', 'v1beta1'] as const;
const failurePolicies = ['NoOpinion', 'Deny'] as const;
const defaultAuthorizedTTLMs = 300_000;
const defaultUnauthorizedTTLMs = 30_000;
const maxTimeoutMs = 30_000;

function readWebhook(fields: JSONObject, at: FieldPath, options: ReadConfigurationOptions, errors: FieldError[]): WebhookSettings {
  const timeoutMs = durationOf(fields, 'timeout');
  if (timeoutMs === 0) errors.push(required(at.child('timeout')));
  else if (timeoutMs > maxTimeoutMs || timeoutMs < 0)
    errors.push(invalid(at.child('timeout'), formatDuration(timeoutMs), 'must be > 0s and <= 30s'));
  const authorizedTTLMs = readTTL(fields, 'authorizedTTL', defaultAuthorizedTTLMs, at, errors);
  const unauthorizedTTLMs = readTTL(fields, 'unauthorizedTTL', defaultUnauthorizedTTLMs, at, errors);
  const reviewVersion = readChoice(fields, 'subjectAccessReviewVersion', reviewVersions, at, errors) ?? 'v1';
  const conditions = (Array.isArray(fields['matchConditions']) ? fields['matchConditions'] : [])
    .filter(isJSONObject)
    .map((condition) => textOf(condition, 'expression'));
  errors.push(...conditionVersionErrors(textOf(fields, 'matchConditionSubjectAccessReviewVersion'), conditions.length > 0, at));
  const failurePolicy = readChoice(fields, 'failurePolicy', failurePolicies, at, errors) ?? 'Deny';
  const kubeConfigFile = readConnection(fields['connectionInfo'], at.child('connectionInfo'), options, errors);
  const compiled = compileMatchConditions(conditions, at.child('matchConditions'));
  errors.push(...compiled.errors);
  return {
    authorizedTTLMs: fields['cacheAuthorizedRequests'] === false ? 0 : authorizedTTLMs,
    unauthorizedTTLMs: fields['cacheUnauthorizedRequests'] === false ? 0 : unauthorizedTTLMs,
    timeoutMs,
    reviewVersion,
    failurePolicy,
    kubeConfigFile,
    matchConditions: compiled.conditions,
  };
}

function readTTL(fields: JSONObject, field: string, defaultMs: number, at: FieldPath, errors: FieldError[]): number {
  const ttlMs = durationOf(fields, field) || defaultMs;
  if (ttlMs < 0) errors.push(invalid(at.child(field), formatDuration(ttlMs), 'must be > 0s'));
  return ttlMs;
}

function readChoice<T extends string>(
  fields: JSONObject,
  field: string,
  choices: readonly T[],
  at: FieldPath,
  errors: FieldError[],
): T | undefined {
  const text = textOf(fields, field);
  const choice = choices.find((one) => one === text);
  if (choice === undefined) errors.push(text === '' ? required(at.child(field)) : notSupported(at.child(field), text, choices));
  return choice;
}

function conditionVersionErrors(version: string, hasConditions: boolean, at: FieldPath): FieldError[] {
  const path = at.child('matchConditionSubjectAccessReviewVersion');
  if (version === 'v1') return [];
  if (version !== '') return [notSupported(path, version, ['v1'])];
  return hasConditions ? [required(path, 'required if match conditions are specified')] : [];
}

function readConnection(value: unknown, at: FieldPath, { findFileProblem }: ReadConfigurationOptions, errors: FieldError[]): string {
  const fields = isJSONObject(value) ? value : {};
  const type = textOf(fields, 'type');
  const { kubeConfigFile: given } = fields;
  const file = typeof given === 'string' ? given : '';
  const path = at.child('kubeConfigFile');
  if (type === '') errors.push(required(at.child('type')));
  else if (type === 'InClusterConfig') {
    if (given !== undefined) errors.push(invalid(path, file, 'can only be set when type=KubeConfigFile'));
    else errors.push(invalid(at.child('type'), type, 'not allowed for kube-apiserver'));
  } else if (type !== 'KubeConfigFile') errors.push(notSupported(at.child('type'), type, ['InClusterConfig', 'KubeConfigFile']));
  else if (file === '') errors.push(required(path));
  else if (!file.startsWith('/')) errors.push(invalid(path, file, 'must be an absolute path'));
  else {
    const problem = findFileProblem(file);
    if (problem !== undefined) errors.push(invalid(path, file, problem));
  }
  return file;
}
