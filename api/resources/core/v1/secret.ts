import { decodeBase64, encodeBase64 } from '../../../base/base64.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { parseJSON } from '../../../serialization/json.ts';
import { JSONSyntaxError } from '../../../serialization/json-parser.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import { serviceAccountNameAnnotation } from '../../../semantics/secrets/service-account-tokens.ts';
import { base64Length, secretTypes } from '../../../semantics/secrets/secrets.ts';
import type { Secret } from '../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { configMapKeyProblems } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { maxDataBytes } from './config-map.ts';

/** Passwords, keys and tokens: bytes by name. */
export const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Secret', plural: 'secrets' },
  definition: 'io.k8s.api.core.v1.Secret',
  storagePrefix: 'secrets',
  printerColumns: [
    nameColumn,
    textColumn('Type', ({ type }) => type ?? ''),
    textColumn('Data', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  /** stringData is a convenience for writers: it becomes data and is never read back. */
  default(secret) {
    const { stringData } = secret;
    if (stringData === undefined) return;
    for (const [key, value] of Object.entries(stringData)) (secret.data ??= {})[key] = encodeBase64(new TextEncoder().encode(value));
    delete secret.stringData;
  },
  prepareForUpdate(secret, old) {
    // Old clients that do not know of the type must not change it.
    if (!secret.type && old.type) secret.type = old.type;
  },
  validate(secret, path) {
    const { data = {} } = secret;
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of Object.entries(data)) {
      errors.push(...invalidFor(path.child('data').key(key), key, configMapKeyProblems(key)));
      bytes += base64Length(value ?? '');
    }
    if (bytes > maxDataBytes) errors.push(tooLong(path.child('data'), maxDataBytes));
    return [...errors, ...validateOfType(secret, path)];
  },
  validateUpdate(secret, old, path) {
    const errors = validateImmutable(path.child('type'), secret.type, old.type);
    if (old.immutable !== true) return errors;
    const message = 'field is immutable when `immutable` is set';
    if (secret.immutable !== true) errors.push(forbidden(path.child('immutable'), message));
    if (!isEqual(secret.data ?? {}, old.data ?? {})) errors.push(forbidden(path.child('data'), message));
    return errors;
  },
});

/** Keys that a Secret of its type has to have for those who read it. */
function validateOfType({ metadata, type, data = {} }: DeepReadonly<Secret>, path: FieldPath): FieldError[] {
  const at = path.child('data');
  const missing = (...keys: string[]) => keys.filter((key) => data[key] === undefined).map((key) => required(at.key(key)));
  switch (type) {
    case secretTypes.serviceAccountToken: {
      const annotation = serviceAccountNameAnnotation;
      return metadata.annotations?.[annotation] ? [] : [required(path.child('metadata', 'annotations').key(annotation))];
    }
    case secretTypes.dockercfg:
      return validateJSONKey(data, '.dockercfg', at);
    case secretTypes.dockerConfigJSON:
      return validateJSONKey(data, '.dockerconfigjson', at);
    case secretTypes.basicAuth:
      return data.username === undefined && data.password === undefined ? missing('username', 'password') : [];
    case secretTypes.sshAuth:
      return data['ssh-privatekey'] ? [] : [required(at.key('ssh-privatekey'))];
    case secretTypes.tls:
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function validateJSONKey(data: Readonly<Record<string, string>>, key: string, path: FieldPath): FieldError[] {
  const text = data[key];
  if (text === undefined) return [required(path.key(key))];
  const problem = problemOfJSON(new TextDecoder().decode(decodeBase64(text)));
  return problem === undefined ? [] : [invalid(path.key(key), '<secret contents redacted>', problem)];
}

/** Why the text is no JSON object, without showing any of it. */
function problemOfJSON(text: string): string | undefined {
  try {
    parseJSON(text);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && !Array.isArray(value)) return undefined;
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  } catch (error) {
    if (!(error instanceof JSONSyntaxError)) throw error;
    return error.message;
  }
}
