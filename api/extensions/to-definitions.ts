import type { DeepReadonly } from '../base/deep-readonly.ts';
import type { KubeObject, UntypedObject } from '../meta/object.ts';
import { unexpectedError } from '../meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition, type ResourceNames, type SubresourceDefinition } from '../resource/resource-definition.ts';
import { defineResource } from '../resource/define-resource.ts';
import { decode } from '../schema/decode.ts';
import { applyDefaults } from '../schema/default.ts';
import { jsonMediaType, yamlMediaType } from '../serialization/media-types.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../types/apiextensions-v1.ts';
import { customColumns, customSelectableFields } from './columns/custom-columns.ts';
import { compareKubeVersions } from './kube-versions.ts';
import { ruleTreeOf } from './rules/rule-tree.ts';
import { validateRules } from './rules/validate-rules.ts';
import { structuralSchemaOf } from './structural-schema-of.ts';
import { FieldPath } from '../validation/field-path.ts';
import { workFactorOf } from './validation/work-factor.ts';
import { createObjectValidator } from './validation/validate-custom-object.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;
type CustomObject = DeepReadonly<UntypedObject>;
type Version = DeepReadonly<CustomResourceDefinitionVersion>;

/**
 * The definitions of a custom kind, one for each served version, in the order of the spec. The CustomResourceDefinition has
 * been validated and its names have been accepted.
 */
export function toDefinitions(crd: CRD): ResourceDefinition[] {
  return crd.spec.versions.filter(({ served }) => served).map((version) => toDefinition(crd, version));
}

/** The definition of the version in which objects are stored, which need not be served. */
export function toStorageDefinition(crd: CRD): ResourceDefinition | undefined {
  const version = crd.spec.versions.find(({ storage }) => storage);
  return version && toDefinition(crd, version);
}

function toDefinition(crd: CRD, version: Version): ResourceDefinition {
  const { spec } = crd;
  const { group } = spec;
  const names = namesOf(crd);
  const schema = structuralSchemaOf(version.schema?.openAPIV3Schema);
  const storage = spec.versions.find((other) => other.storage) ?? version;
  const own = { group, version: version.name };
  const props = version.schema?.openAPIV3Schema;
  const rules = props && ruleTreeOf(props, true);
  const validator = createObjectValidator(
    version,
    schema,
    rules && ((object, old, correlation) => validateRules(rules, object, old, correlation, FieldPath.root)),
  );
  const hasStatus = version.subresources?.status !== undefined;
  return defineResource<KubeObject>({
    ...own,
    scope: spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    names,
    definition: definitionName(group, version.name, names.kind),
    schema,
    origin: { crd, workFactor: workFactorOf(props) },
    mediaTypes: [jsonMediaType, yamlMediaType],
    subresources: subresourcesOf(version, names.kind),
    ...scalePathsOf(version),
    storagePrefix: `${group}/${names.plural}`,
    ...(storage === version ? {} : { storageVersion: { group, version: storage.name }, convert: conversionOf(crd, version, storage) }),
    ...(spec.conversion?.strategy === 'Webhook' && spec.conversion.webhook ? { conversionWebhook: spec.conversion.webhook } : {}),
    readStored(object) {
      const pruned = prune(object, schema);
      applyDefaults(pruned, schema);
      return pruned;
    },
    printerColumns: customColumns(version),
    selectableFields: customSelectableFields(version),
    ...deprecationOf(crd, version, names.kind),
    hasGeneration: true,
    generationFields: 'all',
    allowUnconditionalUpdate: false,
    prepareForCreate(object) {
      if (hasStatus) delete (object as UntypedObject)['status'];
    },
    validate: (object, _path, { operation }) => (operation === 'create' ? validator.validate(object as CustomObject) : []),
    validateUpdate: (object, old) => validator.validateUpdate(object as CustomObject, old as CustomObject),
    validateStatusUpdate: (object, old) => validator.validateStatusUpdate(object as CustomObject, old as CustomObject),
    warnings: (object, old) => validator.warnings(object as CustomObject, old as CustomObject | undefined),
  });
}

/** The names under which the kind is served. */
export function namesOf({ spec, status }: CRD): ResourceNames {
  const names = status?.acceptedNames?.plural ? status.acceptedNames : spec.names;
  const { kind, plural, singular, listKind, shortNames, categories } = names;
  return {
    kind,
    plural,
    singular: singular || kind.toLowerCase(),
    listKind: listKind || `${kind}List`,
    shortNames: shortNames ?? [],
    categories: categories ?? [],
  };
}

/** `com.example.stable.v1.CronTab`. */
export function definitionName(group: string, version: string, kind: string): string {
  return [...group.split('.').toReversed(), version, kind].join('.');
}

/** The warning of a deprecated version, which names the newest of those to use instead. */
function deprecationOf({ spec }: CRD, version: Version, kind: string): { readonly deprecationWarning?: string } {
  if (!version.deprecated) return {};
  if (version.deprecationWarning !== undefined) return { deprecationWarning: version.deprecationWarning };
  const newer = spec.versions
    .filter(({ served, deprecated, name }) => served && !deprecated && compareKubeVersions(version.name, name) < 0)
    .map(({ name }) => name)
    .toSorted((a, b) => compareKubeVersions(b, a));
  const instead = newer[0] === undefined ? '' : `; use ${spec.group}/${newer[0]} ${kind}`;
  return { deprecationWarning: `${spec.group}/${version.name} ${kind} is deprecated${instead}` };
}

function subresourcesOf({ subresources }: Version, kind: string): Record<string, SubresourceDefinition> {
  const verbs = ['get', 'patch', 'update'];
  return {
    ...(subresources?.status === undefined ? {} : { status: { kind, verbs } }),
    ...(subresources?.scale === undefined ? {} : { scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs } }),
  };
}

function scalePathsOf({ subresources }: Version): Pick<ResourceDefinition, 'scalePaths'> {
  const scale = subresources?.scale;
  if (scale === undefined) return {};
  const { specReplicasPath: specReplicas, statusReplicasPath: statusReplicas, labelSelectorPath: labelSelector } = scale;
  return { scalePaths: { specReplicas, statusReplicas, ...(labelSelector === undefined ? {} : { labelSelector }) } };
}

/** The conversion strategy None: only apiVersion changes, and each version keeps the fields that its schema specifies. */
function conversionOf(crd: CRD, version: Version, storage: Version): NonNullable<ResourceDefinition['convert']> {
  if (crd.spec.conversion?.strategy === 'Webhook') return { fromStorage: onlyByWebhook, toStorage: onlyByWebhook };
  const { group } = crd.spec;
  const between = (to: Version) => {
    const schema = structuralSchemaOf(to.schema?.openAPIV3Schema);
    const apiVersion = apiVersionOf({ group, version: to.name });
    return (object: KubeObject) => ({ ...prune(object, schema), apiVersion });
  };
  return { fromStorage: between(version), toStorage: between(storage) };
}

/** The conversion of a kind that only its webhook can convert. */
function onlyByWebhook({ kind }: KubeObject): never {
  throw unexpectedError(`${kind} is converted by a webhook, which cannot be asked here`);
}

function prune(object: KubeObject, schema: NonNullable<ResourceDefinition['schema']>): UntypedObject {
  return decode(object, schema).object as UntypedObject;
}
