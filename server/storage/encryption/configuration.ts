import {
  duplicate,
  type FieldError,
  describeFieldErrors,
  formatShownErrors,
  invalid,
  required,
} from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';

interface EncryptionKey {
  readonly name: string;
  readonly secret: Uint8Array;
}

export type Provider =
  | { readonly kind: 'aesgcm' | 'aescbc' | 'secretbox'; readonly keys: readonly EncryptionKey[] }
  | { readonly kind: 'identity' }
  | { readonly kind: 'kms'; readonly name: string; readonly socket: string; readonly timeoutMs: number };

/** For which resources, `plural`, `plural.group` or with `*`, which providers: the first writes, all read. */
export interface ResourceRule {
  readonly resources: readonly string[];
  readonly providers: readonly Provider[];
}

const apiVersion = 'apiserver.config.k8s.io/v1';
const keyBytes = { aesgcm: [16, 24, 32], aescbc: [16, 24, 32], secretbox: [32] } as const;
const kinds = ['kms', 'aesgcm', 'aescbc', 'secretbox', 'identity'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Reads an EncryptionConfiguration with upstream's rules. Throws everything that is wrong with it; secrets are not shown. */
export function parseEncryptionConfiguration(document: unknown): ResourceRule[] {
  const whole = fieldsOf(document, 'it', ['apiVersion', 'kind', 'resources']);
  if (whole['kind'] !== 'EncryptionConfiguration' || whole['apiVersion'] !== apiVersion)
    throw new Error(`it is not an EncryptionConfiguration of ${apiVersion}`);
  const errors: FieldError[] = [];
  const root = FieldPath.root.child('resources');
  const entries = listOf(whole['resources'], 'resources');
  if (entries.length === 0) errors.push(required(root, 'at least one resources is required'));
  const kmsNames = new Set<string>();
  const rules = entries.map((entry, index) => {
    const at = root.index(index);
    const fields = fieldsOf(entry, `resources[${index}]`, ['resources', 'providers']);
    const resources = listOf(fields['resources'], `resources[${index}].resources`).map(String);
    if (resources.length === 0) errors.push(required(at.child('resources'), `at least one ${at.child('resources')} is required`));
    errors.push(...checkResources(resources, at.child('resources')));
    const given = listOf(fields['providers'], `resources[${index}].providers`);
    if (given.length === 0) errors.push(required(at.child('providers'), `at least one ${at.child('providers')} is required`));
    const providers = given.flatMap((one, place) => readProvider(one, at.child('providers').index(place), { errors, kmsNames }) ?? []);
    return { resources, providers };
  });
  if (errors.length > 0) throw new Error(formatShownErrors(describeFieldErrors(errors)));
  return rules;
}

function checkResources(resources: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (new Set(resources).size < resources.length)
    errors.push(invalid(path, resources, 'the same resource cannot be specified multiple times'));
  const distinct = [...new Set(resources)].map(splitResource);
  const isMasked = distinct.some((one, index) =>
    distinct.some(
      (other, at) => at !== index && ((one.plural === '*' && one.group === '*') || (one.group === other.group && one.plural === '*')),
    ),
  );
  if (isMasked)
    errors.push(
      invalid(
        path,
        resources,
        "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
      ),
    );
  for (const [index, resource] of resources.entries()) {
    const problem = problemOf(resource);
    if (problem !== undefined) errors.push(invalid(path.index(index), resource, problem));
  }
  return errors;
}

function problemOf(resource: string): string | undefined {
  const { plural, group } = splitResource(resource);
  if (/[A-Z]/.test(resource)) return 'resource name should not contain capital letters';
  if (resource === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations'].includes(resource))
    return 'resources which do not have REST API/s cannot be encrypted';
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption";
  return group === '*' && plural !== '*' ? 'encrypting the same resource across groups is not supported' : undefined;
}

/** `secrets`, `deployments.apps`, `*.` of the core group, `*.apps`, `*.*`. */
export function splitResource(resource: string): { readonly plural: string; readonly group: string } {
  const dot = resource.indexOf('.');
  return dot < 0 ? { plural: resource, group: '' } : { plural: resource.slice(0, dot), group: resource.slice(dot + 1) };
}

interface Findings {
  readonly errors: FieldError[];
  readonly kmsNames: Set<string>;
}

function readProvider(value: unknown, path: FieldPath, findings: Findings): Provider | undefined {
  const { errors } = findings;
  const given = fieldsOf(value, String(path), kinds);
  const [kind, ...others] = kinds.filter((one) => given[one] !== undefined && given[one] !== null);
  if (kind === undefined)
    return void errors.push(
      invalid(path, 'REDACTED', 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity'),
    );
  if (others.length > 0)
    return void errors.push(
      invalid(path, 'REDACTED', 'more than one provider specified in a single element, should split into different list elements'),
    );
  if (kind === 'identity') return { kind };
  if (kind === 'kms') return readKMS(given[kind], path.child(kind), findings);
  return { kind, keys: readKeys(given[kind], path.child(kind, 'keys'), keyBytes[kind], errors) };
}

function readKeys(value: unknown, path: FieldPath, lengths: readonly number[], errors: FieldError[]): EncryptionKey[] {
  const given = listOf(fieldsOf(value, String(path), ['keys'])['keys'], String(path));
  if (given.length === 0) errors.push(required(path, 'at least one keys is required'));
  return given.flatMap((one, index): EncryptionKey[] => {
    const at = path.index(index);
    const { name = '', secret = '' } = fieldsOf(one, String(at), ['name', 'secret']);
    if (name === '') errors.push(required(at.child('name'), 'name is a mandatory field for a key'));
    if (typeof secret !== 'string' || secret === '') {
      errors.push(required(at.child('secret'), 'secret is a mandatory field for a key'));
      return [];
    }
    const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret.replaceAll(/[\r\n]/g, ''));
    if (!isBase64) {
      errors.push(invalid(at.child('secret'), 'REDACTED', 'secrets must be base64 encoded'));
      return [];
    }
    const bytes = Buffer.from(secret, 'base64');
    if (!lengths.includes(bytes.length)) {
      const problem = `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`;
      errors.push(invalid(at.child('secret'), 'REDACTED', problem));
    }
    return [{ name: String(name), secret: bytes }];
  });
}

function readKMS(value: unknown, path: FieldPath, { errors, kmsNames }: Findings): Provider | undefined {
  const given = fieldsOf(value, String(path), ['apiVersion', 'name', 'endpoint', 'timeout', 'cachesize']);
  const { apiVersion: version = 'v1', name = '', endpoint = '', timeout = '3s', cachesize } = given;
  if (name === '') errors.push(required(path.child('name'), 'name is a mandatory field for a provider'));
  else if (String(name).includes(':'))
    errors.push(invalid(path.child('name'), name, `invalid KMS provider name ${String(name)}, must not contain ':'`));
  else if (kmsNames.has(String(name))) errors.push(duplicate(path.child('name'), name));
  kmsNames.add(String(name));
  const timeoutMs = durationMs(String(timeout));
  if (!(timeoutMs > 0)) errors.push(invalid(path.child('timeout'), timeout, 'timeout should be a positive value'));
  const socket = /^unix:(?:\/\/)?([/@].*)$/.exec(String(endpoint))?.[1];
  if (endpoint === '') errors.push(required(path.child('endpoint'), 'endpoint is a mandatory field for a kms'));
  else if (socket === undefined)
    errors.push(invalid(path.child('endpoint'), endpoint, 'unsupported scheme for KMS provider: only unix is supported'));
  if (version !== 'v2')
    errors.push(
      invalid(
        path.child('apiVersion'),
        version,
        'unsupported apiVersion for KMS provider, only v2 is supported: v1 is off by default since v1.29',
      ),
    );
  if (cachesize !== undefined) errors.push(invalid(path.child('cachesize'), cachesize, 'cachesize is not supported in v2'));
  return socket === undefined ? undefined : { kind: 'kms', name: String(name), socket, timeoutMs };
}

function durationMs(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return Number.NaN;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}

function fieldsOf(value: unknown, what: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) throw new Error(`${what} has the unknown field "${unknown}"`);
  return value as Fields;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value;
}
