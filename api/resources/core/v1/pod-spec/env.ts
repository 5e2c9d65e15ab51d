import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateEach, validateRequired } from '../../../../resource/field-rules.ts';
import type { EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from '../../../../types/core-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { configMapKeyProblems, envVarNameProblems } from '../../../../validation/formats.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, nameIsDNSSubdomain } from '../../../../validation/names.ts';
import { validateNoBacksteps, validateQualifiedName } from './names.ts';

/** Fields of the Pod that variables may take their value from. */
const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields that can be projected into files. */
const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
/** All fields that a reference may name. A field that does not fit here gets another message than an unknown field. */
const knownFields = new Set([...envFields, ...volumeFields, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase']);
const containerResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
const divisorRules = [
  { resources: /^(?:limits|requests)\.cpu$/, subject: 'cpu', divisors: ['1m', '1'] },
  { resources: /^(?:limits|requests)\.memory$/, subject: 'memory', divisors: byteDivisors },
  { resources: /^(?:limits|requests)\.ephemeral-storage$/, subject: 'local ephemeral storage', divisors: byteDivisors },
  { resources: /^(?:limits|requests)\.hugepages-/, subject: 'hugepages', divisors: byteDivisors },
];

export function validateEnv(variables: readonly DeepReadonly<EnvVar>[] | undefined, path: FieldPath): FieldError[] {
  return validateEach(variables, path, (variable, at) => [
    ...validateRequired(at.child('name'), variable.name, envVarNameProblems),
    ...validateValueFrom(variable, at.child('valueFrom')),
  ]);
}

function validateValueFrom({ value, valueFrom }: DeepReadonly<EnvVar>, path: FieldPath): FieldError[] {
  if (valueFrom === undefined) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, envFields, path.child('fieldRef')));
  if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, path.child('resourceFieldRef'), false));
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, path.child('configMapKeyRef')));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, path.child('secretKeyRef')));
  if (fileKeyRef) {
    const at = path.child('fileKeyRef');
    errors.push(
      ...validateRequired(at.child('key'), fileKeyRef.key, envVarNameProblems),
      ...validateRequired(at.child('volumeName'), fileKeyRef.volumeName, dns1123LabelProblems),
      ...(fileKeyRef.path ? validateNoBacksteps(at.child('path'), fileKeyRef.path) : [required(at.child('path'))]),
    );
  }
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((source) => source !== undefined).length;
  if (sources === 0) {
    errors.push(
      invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'),
    );
  } else if (value) errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  return errors;
}

function validateKeyRef(reference: { readonly name?: string; readonly key: string }, path: FieldPath): FieldError[] {
  const name = reference.name ?? '';
  return [
    ...invalidFor(path.child('name'), name, dns1123SubdomainProblems(name)),
    ...validateRequired(path.child('key'), reference.key, configMapKeyProblems),
  ];
}

export function validateEnvFrom(sources: readonly DeepReadonly<EnvFromSource>[] | undefined, path: FieldPath): FieldError[] {
  return validateEach(sources, path, (source, at) => {
    const errors = source.prefix ? invalidFor(at.child('prefix'), source.prefix, envVarNameProblems(source.prefix)) : [];
    const named = (name: string) => nameIsDNSSubdomain(name, true);
    if (source.configMapRef) errors.push(...validateRequired(at.child('configMapRef', 'name'), source.configMapRef.name, named));
    if (source.secretRef) errors.push(...validateRequired(at.child('secretRef', 'name'), source.secretRef.name, named));
    if (!source.configMapRef && !source.secretRef) errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (source.configMapRef && source.secretRef) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
    return errors;
  });
}

/** A field of the Pod as a file. */
export function validateVolumeFieldRef(reference: DeepReadonly<ObjectFieldSelector>, path: FieldPath): FieldError[] {
  return validateFieldRef(reference, volumeFields, path);
}

function validateFieldRef(reference: DeepReadonly<ObjectFieldSelector>, fields: readonly string[], path: FieldPath): FieldError[] {
  if (!reference.apiVersion) return [required(path.child('apiVersion'))];
  if (!reference.fieldPath) return [required(path.child('fieldPath'))];
  const { apiVersion, fieldPath } = reference;
  const at = path.child('fieldPath');
  if (apiVersion !== 'v1') return [invalid(at, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  const [, field, key] = /^([^[]*)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  if (field !== undefined && key !== undefined) {
    if (field === 'metadata.annotations') return validateQualifiedName(path, key.toLowerCase());
    if (field === 'metadata.labels') return validateQualifiedName(path, key);
    return [invalid(at, fieldPath, `error converting fieldPath: field label does not support subscript: ${fieldPath}`)];
  }
  if (!knownFields.has(fieldPath)) return [invalid(at, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  return fields.includes(fieldPath) ? [] : [notSupported(at, fieldPath, fields)];
}

/** A request or limit of a container; files have to say of which. */
export function validateResourceFieldRef(reference: DeepReadonly<ResourceFieldSelector>, path: FieldPath, isFile: boolean): FieldError[] {
  const { resource, containerName, divisor } = reference;
  const errors: FieldError[] = [];
  if (isFile && !containerName) errors.push(required(path.child('containerName')));
  else if (!resource) errors.push(required(path.child('resource')));
  else if (!containerResources.includes(resource) && !/^(?:limits|requests)\.hugepages-/.test(resource)) {
    errors.push(notSupported(path.child('resource'), resource, containerResources));
  }
  const rule = divisorRules.find(({ resources }) => resources.test(resource ?? ''));
  if (!divisor || divisor === '0' || rule === undefined || rule.divisors.includes(divisor)) return errors;
  const message = `only divisor's values ${rule.divisors.join(rule.divisors.length === 2 ? ' and ' : ', ')} are supported with the ${rule.subject} resource`;
  return [...errors, invalid(path.child('divisor'), resource, message)];
}
