import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { unsupportedProblem } from '../../../extensions/definition/unsupported-problem.ts';
import { validateVersionSchema } from '../../../extensions/definition/validate-version-schema.ts';
import { resolveSchemaPath } from '../../../extensions/rules/schema-path.ts';
import { invalidFor, validateChoice, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import type {
  CustomResourceConversion,
  CustomResourceColumnDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
  SelectableField,
} from '../../../types/apiextensions-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';
import { validateClientConfig, validateReviewVersions } from '../../admissionregistration/v1/webhook-validation.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const maxSelectableFields = 8;

/** Validates a definition's statements about its kind: names, versions, schemas and their rules, columns, paths and conversion. */
export function validateDefinitionSpec(spec: DeepReadonly<CustomResourceDefinitionSpec> | undefined, path: FieldPath): FieldError[] {
  if (spec === undefined) return [required(path)];
  const { group = '', scope, names, versions = [], conversion, preserveUnknownFields } = spec;
  const at = path.child('group');
  const errors = group === '' ? [required(at)] : invalidFor(at, group, dns1123SubdomainProblems(group));
  if (errors.length === 0 && !group.includes('.')) errors.push(invalid(at, group, 'should be a domain with at least one dot'));
  errors.push(...validateChoice(path.child('scope'), scope, ['Cluster', 'Namespaced']));
  const shared = sharedFields(versions);
  errors.push(...validateVersions(versions, path.child('versions'), shared));
  errors.push(...validateNames(names, path.child('names')));
  const [first] = versions;
  if (first !== undefined) {
    // v1beta1 named one version besides the list, and upstream validates that name, too.
    if (first.name) errors.push(...invalidFor(path.child('version'), first.name, dns1035LabelProblems(first.name)));
    errors.push(...validateShared(first, versions, path, shared));
  }
  if (preserveUnknownFields) errors.push(...validatePreserving(spec, path));
  return [...errors, ...validateConversion(conversion, path.child('conversion'))];
}

/** Refuses `preserveUnknownFields`, which v1 does not have, and names what cannot be beside it. */
function validatePreserving({ versions = [], conversion }: DeepReadonly<CustomResourceDefinitionSpec>, path: FieldPath): FieldError[] {
  const at = path.child('preserveUnknownFields');
  const errors = [
    invalid(at, true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'),
  ];
  if (versions.some(({ schema }) => schema?.openAPIV3Schema && hasDefaults(schema.openAPIV3Schema)))
    errors.push(invalid(at, true, 'must be false in order to use defaults in the schema'));
  if (conversion !== undefined && conversion.strategy !== 'None')
    errors.push(invalid(path.child('conversion', 'strategy'), conversion.strategy, 'must be None if spec.preserveUnknownFields is true'));
  return errors;
}

function hasDefaults(schema: DeepReadonly<JSONSchemaProps>): boolean {
  return partsOf(schema).some((part) => part.default !== undefined || hasDefaults(part)) || schema.default !== undefined;
}

/** The schemas that stand in a schema. */
function partsOf(schema: DeepReadonly<JSONSchemaProps>): DeepReadonly<JSONSchemaProps>[] {
  const { items, additionalItems, additionalProperties, not, allOf, anyOf, oneOf } = schema;
  const { properties, patternProperties, definitions, dependencies } = schema;
  const maps = [properties, patternProperties, definitions, dependencies].flatMap((map) => Object.values(map ?? {}));
  const found: readonly unknown[] = [items, additionalItems, additionalProperties, not, allOf, anyOf, oneOf, ...maps].flat();
  return found.filter((part) => typeof part === 'object' && part !== null) as DeepReadonly<JSONSchemaProps>[];
}

type Version = DeepReadonly<CustomResourceDefinitionVersion>;
const sharable = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
type Sharable = (typeof sharable)[number];

/** The fields that all versions have alike. Messages name them as v1beta1 had them, once for all versions. */
function sharedFields(versions: readonly Version[]): ReadonlySet<Sharable> {
  return new Set(
    sharable.filter((field) => versions.every((version) => isSemanticallyEqual(version[field] ?? null, versions[0]?.[field] ?? null))),
  );
}

function validateShared(first: Version, versions: readonly Version[], path: FieldPath, shared: ReadonlySet<Sharable>): FieldError[] {
  const errors: FieldError[] = [];
  const schema = first.schema?.openAPIV3Schema;
  if (shared.has('schema') && schema !== undefined) {
    const hasStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
    errors.push(...validateVersionSchema(schema, hasStatus, path.child('validation', 'openAPIV3Schema')));
  }
  if (shared.has('subresources')) errors.push(...validateScale(first, path.child('subresources')));
  if (shared.has('additionalPrinterColumns'))
    errors.push(...validateEach(first.additionalPrinterColumns, path.child('additionalPrinterColumns'), validateColumn));
  if (shared.has('selectableFields'))
    for (const { schema: own } of shared.has('schema') ? [first] : versions)
      errors.push(...validateSelectableFields(first.selectableFields ?? [], own?.openAPIV3Schema, path));
  return errors;
}

function validateVersions(versions: readonly Version[], path: FieldPath, shared: ReadonlySet<Sharable>): FieldError[] {
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
    for (const problem of deprecationWarningProblems(version))
      problems.push(invalid(at.child('deprecationWarning'), version.deprecationWarning, problem));
    return [...problems, ...validateVersion(version, at, shared)];
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

function validateVersion(version: Version, at: FieldPath, shared: ReadonlySet<Sharable>): FieldError[] {
  const errors: FieldError[] = [];
  const schemaPath = at.child('schema', 'openAPIV3Schema');
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) errors.push(required(schemaPath, 'schemas are required'));
  else if (!shared.has('schema')) errors.push(...validateVersionSchema(schema, version.subresources?.status !== undefined, schemaPath));
  if (!shared.has('subresources')) errors.push(...validateScale(version, at.child('subresources')));
  if (!shared.has('additionalPrinterColumns'))
    errors.push(...validateEach(version.additionalPrinterColumns, at.child('additionalPrinterColumns'), validateColumn));
  if (!shared.has('selectableFields')) errors.push(...validateSelectableFields(version.selectableFields ?? [], schema, at));
  return errors;
}

/** Paths of the numbers of the scale subresource; fields that are named together, as upstream names them. */
function validateScale({ subresources }: Version, path: FieldPath): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  for (const [field, roots, where] of [
    ['specReplicasPath', ['.spec.'], '.spec'],
    ['statusReplicasPath', ['.status.'], '.status'],
    ['labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status'],
  ] as const) {
    const at = path.child(`scale.${field}`);
    const text = scale[field] ?? '';
    if (text === '') {
      if (field !== 'labelSelectorPath') errors.push(required(at));
    } else if (!text.startsWith('.')) errors.push(invalid(at, text, 'must be a simple json path starting with .'));
    else if (!roots.some((root) => text.startsWith(root))) errors.push(invalid(at, text, `should be a json path under ${where}`));
  }
  return errors;
}

function validateColumn({ name, type, format, jsonPath }: DeepReadonly<CustomResourceColumnDefinition>, column: FieldPath): FieldError[] {
  const errors = validateRequired(column.child('name'), name);
  if (!type) errors.push(required(column.child('type'), `must be one of ${columnTypes.join(',')}`));
  else if (!columnTypes.includes(type)) errors.push(invalid(column.child('type'), type, `must be one of ${columnTypes.join(',')}`));
  if (format && !columnFormats.includes(format))
    errors.push(invalid(column.child('format'), format, `must be one of ${columnFormats.join(',')}`));
  // As v1beta1 had it, which is how upstream names it still.
  const at = column.child('JSONPath');
  if (!jsonPath) errors.push(required(at));
  else if (!jsonPath.startsWith('.')) errors.push(invalid(at, jsonPath, 'must be a simple json path starting with .'));
  return errors;
}

const selectableTypes = ['string', 'boolean', 'integer'];

function validateSelectableFields(
  fields: readonly DeepReadonly<SelectableField>[],
  schema: DeepReadonly<JSONSchemaProps> | undefined,
  parent: FieldPath,
): FieldError[] {
  const path = parent.child('selectableFields');
  if (fields.length === 0) return [];
  if (schema === undefined) return [invalid(path, '', 'selectableFields may only be set when validations.schema is included')];
  const seen = new Set<string>();
  const problem = unsupportedProblem(schema);
  const ofSchema = problem === undefined ? [] : [invalid(parent.child('schema.openAPIV3Schema'), '', problem)];
  const errors = validateEach(fields, path, ({ jsonPath }, field) => {
    const at = field.child('jsonPath');
    if (!jsonPath) return [required(at)];
    const found = resolveSchemaPath(jsonPath, schema, { allowsSubscripts: false });
    if (!found.ok) return [invalid(at, jsonPath, `is an invalid path: ${found.problem}`)];
    const problems: FieldError[] = [];
    if (found.first === 'metadata') problems.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!selectableTypes.includes(found.schema.type ?? '')) {
      const detail = 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      problems.push(invalid(at, jsonPath, detail));
    }
    const text = found.path.toString();
    if (seen.has(text)) problems.push(duplicate(at, jsonPath));
    seen.add(text);
    return problems;
  });
  const count = seen.size > maxSelectableFields ? [tooMany(path, seen.size, maxSelectableFields)] : [];
  return [...ofSchema, ...errors, ...count];
}

/** The problems of the warning of a version. */
function deprecationWarningProblems({ deprecated, deprecationWarning: text }: Version): string[] {
  if (text === undefined) return [];
  if (!deprecated) return ['can only be set for deprecated versions'];
  const problems = text.length > 256 ? ['must be <= 256 characters long'] : [];
  if (text === '') problems.push('must not be an empty string');
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(text);
  if (odd) {
    const at = new TextEncoder().encode(text.slice(0, odd.index)).length;
    problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
  }
  return problems;
}

function validateNames(names: DeepReadonly<CustomResourceDefinitionNames> | undefined, path: FieldPath): FieldError[] {
  const { plural, kind = '', singular, listKind } = names ?? {};
  // The singular is derived from the kind where it is not given.
  const given = { plural, singular: singular || kind.toLowerCase(), kind, listKind };
  const missing = Object.entries(given).filter(([, name]) => !name);
  return [...missing.map(([field]) => required(path.child(field))), ...validateDefinitionNames(names, path)];
}

/** Validates the names of a kind that are given. */
export function validateDefinitionNames(names: DeepReadonly<CustomResourceDefinitionNames> | undefined, path: FieldPath): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames, categories } = names ?? {};
  const errors: FieldError[] = [];
  for (const [field, name] of Object.entries({ plural, singular }))
    if (name !== '') errors.push(...invalidFor(path.child(field), name, dns1035LabelProblems(name)));
  for (const [field, name] of Object.entries({ kind, listKind })) {
    const problems = name === '' ? [] : dns1035LabelProblems(name.toLowerCase());
    const prefix = 'may have mixed case, but should otherwise match: ';
    errors.push(...problems.map((problem) => invalid(path.child(field), name, prefix + problem)));
  }
  errors.push(...validateEach(shortNames, path.child('shortNames'), (name, at) => invalidFor(at, name, dns1035LabelProblems(name))));
  if (kind !== '' && kind === listKind) errors.push(invalid(path.child('listKind'), listKind, 'kind and listKind may not be the same'));
  return [...errors, ...validateEach(categories, path.child('categories'), (name, at) => invalidFor(at, name, dns1035LabelProblems(name)))];
}

function validateConversion(conversion: DeepReadonly<CustomResourceConversion> | undefined, path: FieldPath): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy = '', webhook } = conversion;
  // The names of v1beta1, which upstream's messages still use.
  const [clientPath, versionsPath] = [path.child('webhookClientConfig'), path.child('conversionReviewVersions')];
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy !== 'Webhook') {
    const unwanted = [...(webhook?.clientConfig ? [clientPath] : []), ...(versions.length > 0 ? [versionsPath] : [])];
    return [
      ...validateChoice(path.child('strategy'), strategy, ['None', 'Webhook']),
      ...unwanted.map((at) => forbidden(at, 'should not be set when strategy is not set to Webhook')),
    ];
  }
  const errors =
    webhook?.clientConfig === undefined
      ? [required(clientPath, 'required when strategy is set to Webhook')]
      : validateClientConfig(webhook.clientConfig, clientPath);
  return [...errors, ...validateReviewVersions(versions, versionsPath, '')];
}
