import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import type {
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../../types/apiextensions-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';
import { validateClientConfig } from '../../admissionregistration/v1/webhook-validation.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const maxSelectableFields = 8;
/** Versions of ConversionReview that the server speaks. */
const reviewVersions = ['v1', 'v1beta1'];

/**
 * Validates a definition's statements about its kind, but for the rules of structural schemas, which are checked where schemas
 * are built.
 */
export function validateDefinitionSpec(spec: DeepReadonly<CustomResourceDefinitionSpec> | undefined, path: FieldPath): FieldError[] {
  if (spec === undefined) return [required(path)];
  const { group = '', scope, names, versions = [], conversion, preserveUnknownFields } = spec;
  const at = path.child('group');
  const errors = group === '' ? [required(at)] : invalidFor(at, group, dns1123SubdomainProblems(group));
  if (group !== '' && group.split('.').length < 2) errors.push(invalid(at, group, 'should be a domain with at least one dot'));
  errors.push(...validateChoice(path.child('scope'), scope, ['Cluster', 'Namespaced']));
  errors.push(...validateVersions(versions, path.child('versions')));
  errors.push(...validateNames(names, path.child('names')));
  if (preserveUnknownFields) {
    errors.push(
      invalid(
        path.child('preserveUnknownFields'),
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  return [...errors, ...validateConversion(conversion, path.child('conversion'))];
}

function validateVersions(versions: readonly DeepReadonly<CustomResourceDefinitionVersion>[], path: FieldPath): FieldError[] {
  const names = new Set<string>();
  const errors = validateEach(versions, path, (version, at) => {
    const problems = invalidFor(at.child('name'), version.name, dns1035LabelProblems(version.name));
    if (names.has(version.name))
      problems.push(
        invalid(
          path,
          versions.map(({ name }) => name),
          'must contain unique version names',
        ),
      );
    names.add(version.name);
    if (version.deprecationWarning !== undefined && !version.deprecated) {
      problems.push(invalid(at.child('deprecationWarning'), version.deprecationWarning, 'can only be set for deprecated versions'));
    }
    return [...problems, ...validateVersion(version, at)];
  });
  const stored = versions.filter(({ storage }) => storage).length;
  if (stored !== 1)
    errors.push(
      invalid(
        path,
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    );
  return errors;
}

function validateVersion(version: DeepReadonly<CustomResourceDefinitionVersion>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const schemaPath = at.child('schema', 'openAPIV3Schema');
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) errors.push(required(schemaPath, 'schemas are required'));
  else if (schema.type !== 'object') {
    errors.push(
      schema.type
        ? invalid(schemaPath.child('type'), schema.type, 'must be object at the root')
        : required(schemaPath.child('type'), 'must not be empty at the root'),
    );
  }
  const { scale } = version.subresources ?? {};
  if (scale !== undefined) {
    const path = at.child('subresources', 'scale');
    for (const [field, prefix] of [
      ['specReplicasPath', '.spec'],
      ['statusReplicasPath', '.status'],
    ] as const) {
      const text = scale[field] ?? '';
      if (text === '') errors.push(required(path.child(field)));
      else if (!isFieldPath(text)) errors.push(invalid(path.child(field), text, 'should be a simple json path without array notation'));
      else if (!text.startsWith(`${prefix}.`)) errors.push(invalid(path.child(field), text, `should be a json path under ${prefix}`));
    }
    const labels = scale.labelSelectorPath;
    if (labels && !/^\.(?:spec|status)\./.test(labels))
      errors.push(invalid(path.child('labelSelectorPath'), labels, 'should be a json path under either .status or .spec'));
  }
  errors.push(
    ...validateEach(version.additionalPrinterColumns, at.child('additionalPrinterColumns'), ({ name, type, format, jsonPath }, column) => {
      const problems = validateRequired(column.child('name'), name);
      if (!type) problems.push(required(column.child('type'), `must be one of ${columnTypes.join(',')}`));
      else if (!columnTypes.includes(type)) problems.push(invalid(column.child('type'), type, `must be one of ${columnTypes.join(',')}`));
      if (format && !columnFormats.includes(format))
        problems.push(invalid(column.child('format'), format, `must be one of ${columnFormats.join(',')}`));
      if (!jsonPath) problems.push(required(column.child('jsonPath')));
      else if (!/^[.[]/.test(jsonPath))
        problems.push(invalid(column.child('jsonPath'), jsonPath, 'should be a json path beginning with . or ['));
      return problems;
    }),
  );
  const selectable = version.selectableFields ?? [];
  if (selectable.length > maxSelectableFields) errors.push(tooMany(at.child('selectableFields'), selectable.length, maxSelectableFields));
  const paths = new Set<string>();
  return [
    ...errors,
    ...validateEach(selectable, at.child('selectableFields'), ({ jsonPath }, field) => {
      const path = field.child('jsonPath');
      if (!jsonPath) return [required(path)];
      if (paths.has(jsonPath)) return [duplicate(path, jsonPath)];
      paths.add(jsonPath);
      return isFieldPath(jsonPath) ? [] : [invalid(path, jsonPath, 'is an invalid path: only simple field paths are allowed')];
    }),
  ];
}

function isFieldPath(text: string): boolean {
  return /^(?:\.[A-Za-z_][\w-]*)+$/.test(text);
}

function validateNames(names: DeepReadonly<CustomResourceDefinitionNames> | undefined, path: FieldPath): FieldError[] {
  const { plural, singular, kind = '', listKind = '', shortNames, categories } = names ?? {};
  const errors = validateRequired(path.child('plural'), plural, dns1035LabelProblems);
  // The singular is derived from the kind where it is not given.
  errors.push(...validateRequired(path.child('singular'), singular || kind.toLowerCase(), dns1035LabelProblems));
  errors.push(...validateEach(shortNames, path.child('shortNames'), (name, at) => invalidFor(at, name, dns1035LabelProblems(name))));
  for (const [field, name] of [
    ['kind', kind],
    ['listKind', listKind],
  ] as const) {
    const at = path.child(field);
    if (name === '') errors.push(required(at));
    else
      errors.push(
        ...dns1035LabelProblems(name.toLowerCase()).map((problem) =>
          invalid(at, name, `may have mixed case, but should otherwise match: ${problem}`),
        ),
      );
  }
  if (kind !== '' && kind === listKind) errors.push(invalid(path.child('listKind'), listKind, 'kind and listKind may not be the same'));
  return [...errors, ...validateEach(categories, path.child('categories'), (name, at) => invalidFor(at, name, dns1035LabelProblems(name)))];
}

function validateConversion(conversion: DeepReadonly<CustomResourceConversion> | undefined, path: FieldPath): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy = '', webhook } = conversion;
  // The names of v1beta1, which upstream's messages still use.
  const [clientPath, versionsPath] = [path.child('webhookClientConfig'), path.child('conversionReviewVersions')];
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy === 'None') {
    const unwanted = [...(webhook?.clientConfig ? [clientPath] : []), ...(versions.length > 0 ? [versionsPath] : [])];
    return unwanted.map((at) => forbidden(at, 'should not be set when strategy is not set to Webhook'));
  }
  if (strategy !== 'Webhook')
    return [strategy === '' ? required(path.child('strategy')) : notSupported(path.child('strategy'), strategy, ['None', 'Webhook'])];
  const errors =
    webhook?.clientConfig === undefined
      ? [required(clientPath, 'required when strategy is set to Webhook')]
      : validateClientConfig(webhook.clientConfig, clientPath);
  if (versions.length === 0) return [...errors, required(versionsPath)];
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(invalid(versionsPath, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  return errors;
}
