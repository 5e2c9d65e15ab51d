import {
  type LevelVersion,
  levelProblem,
  type Mode,
  parseLevel,
  parseLevelVersion,
  type PodSecurityPolicy,
  privilegedPolicy,
  versionProblem,
} from '../../../../../api/semantics/pod-security/policy.ts';
import { describeFieldErrors, duplicate, type FieldError, formatShownErrors, invalid } from '../../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../../api/validation/field-path.ts';
import { nameIsDNSLabel, nameIsDNSSubdomain } from '../../../../../api/validation/names.ts';

export interface PodSecurityConfiguration {
  /** For namespaces whose labels say nothing. */
  readonly defaults: PodSecurityPolicy;
  /** The users, namespaces and runtime classes that are exempt. */
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly runtimeClasses: readonly string[];
    readonly namespaces: readonly string[];
  };
}

export const defaultPodSecurity: PodSecurityConfiguration = {
  defaults: privilegedPolicy,
  exemptions: { usernames: [], runtimeClasses: [], namespaces: [] },
};

const kind = 'PodSecurityConfiguration';
const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `pod-security.admission.config.k8s.io/${version}`);
const modes: readonly Mode[] = ['enforce', 'warn', 'audit'];
const exemptionFields = ['usernames', 'runtimeClasses', 'namespaces'] as const;

/** Parses a PodSecurityConfiguration from the plugin's part of an AdmissionConfiguration. Throws an Error that describes the mistake. */
export function parsePodSecurityConfiguration(value: unknown): PodSecurityConfiguration {
  const document = fieldsOf(value, 'it', ['apiVersion', 'kind', 'defaults', 'exemptions']);
  if (document['kind'] !== kind || !apiVersions.includes(String(document['apiVersion'])))
    throw new Error(
      `no kind "${String(document['kind'])}" is registered for version "${String(document['apiVersion'])}": it is ${kind} of ${apiVersions[0]}`,
    );
  const errors: FieldError[] = [];
  const given = fieldsOf(
    document['defaults'] ?? {},
    'defaults',
    modes.flatMap((mode) => [mode, `${mode}-version`]),
  );
  const read = (mode: Mode): LevelVersion => {
    const [level, version] = [textOf(given[mode]) || 'privileged', textOf(given[`${mode}-version`]) || 'latest'];
    const at = FieldPath.root.child('defaults');
    const [parsedLevel, parsedVersion] = [parseLevel(level), parseLevelVersion(version)];
    if (parsedLevel === undefined) errors.push(invalid(at.child(mode), level, levelProblem));
    if (parsedVersion === undefined) errors.push(invalid(at.child(`${mode}-version`), version, versionProblem));
    return { level: parsedLevel ?? 'restricted', version: parsedVersion ?? 'latest' };
  };
  const [enforce, warn, audit] = [read('enforce'), read('warn'), read('audit')];
  const exempt = fieldsOf(document['exemptions'] ?? {}, 'exemptions', exemptionFields);
  const [usernames = [], runtimeClasses = [], namespaces = []] = exemptionFields.map((field) =>
    listOf(exempt[field], `exemptions.${field}`),
  );
  errors.push(
    ...checkNames('namespaces', namespaces, (name) => nameIsDNSLabel(name, false)),
    ...checkNames('runtimeClasses', runtimeClasses, (name) => nameIsDNSSubdomain(name, false)),
    ...checkNames('usernames', usernames, (name) => (name === '' ? ['username must not be empty'] : [])),
  );
  if (errors.length > 0) throw new Error(formatShownErrors(describeFieldErrors(errors)));
  return { defaults: { enforce, warn, audit }, exemptions: { usernames, runtimeClasses, namespaces } };
}

function checkNames(field: string, names: readonly string[], problemsOf: (name: string) => readonly string[]): FieldError[] {
  return names.flatMap((name, index) => {
    const at = FieldPath.root.child('exemptions', field).index(index);
    const problems = problemsOf(name);
    if (problems.length > 0) return [invalid(at, name, problems.join(', '))];
    return names.indexOf(name) < index ? [duplicate(at, name)] : [];
  });
}

function fieldsOf(value: unknown, what: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) throw new Error(`${what} has the unknown field "${unknown}"`);
  return value as Readonly<Record<string, unknown>>;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function listOf(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw new Error(`${what} is not a list of strings`);
  return value as string[];
}
