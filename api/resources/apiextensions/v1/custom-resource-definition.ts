import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { weighDefinition } from '../../../extensions/definition/weigh-definition.ts';
import { isConditionTrue, withCondition } from '../../../meta/conditions.ts';
import { formatTime } from '../../../meta/time.ts';
import type { CustomResourceDefinition } from '../../../types/apiextensions-v1.ts';
import { type FieldError, hasEnoughErrors, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateDefinitionNames, validateDefinitionSpec } from './definition-spec.ts';
import { upgradeDefinitionSpec } from './upgrade-definition.ts';

/** A kind that users add. */
export const customResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: {
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
  },
  definition: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  resetFields: { status: [['spec'], ['metadata']] },
  subresources: {
    status: { kind: 'CustomResourceDefinition', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  upgradeStored: (object) => ({ ...object, spec: upgradeDefinitionSpec((object as CustomResourceDefinition).spec as never) }),
  weigh: weighDefinition,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  prepareForCreate(definition) {
    const stored = (definition.spec?.versions ?? []).find(({ storage }) => storage);
    // As upstream shows it until the first condition is there.
    const conditions = null as unknown as [];
    definition.status = { storedVersions: stored ? [stored.name] : [], acceptedNames: { plural: '', kind: '' }, conditions };
  },
  prepareForUpdate(definition, old, { subresource }) {
    if (subresource !== '') return;
    // A version that is stored in stays among those that objects may be stored in, until it is taken out by hand.
    const added = (definition.spec?.versions ?? []).find(({ storage }) => storage);
    const stored = new Set(old.status?.storedVersions);
    if (added) stored.add(added.name);
    definition.status = { ...definition.status, storedVersions: [...stored] };
  },
  prepareForDelete({ status }, nowMs) {
    const condition = {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      lastTransitionTime: formatTime(nowMs),
    };
    return {
      finalizers: ['customresourcecleanup.apiextensions.k8s.io'],
      fields: { status: { ...status, conditions: withCondition(status?.conditions ?? [], condition) } },
    };
  },
  validate({ metadata, spec, status }, path, { operation }) {
    const errors: FieldError[] = [];
    const expected = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`;
    if (operation === 'create' && metadata.name && metadata.name !== expected)
      errors.push(invalid(path.child('metadata', 'name'), metadata.name, 'must be spec.names.plural+"."+spec.group'));
    errors.push(...validateDefinitionSpec(spec, path.child('spec')));
    errors.push(...validateStoredVersions(status?.storedVersions ?? [], spec?.versions ?? [], path.child('status', 'storedVersions')));
    return operation === 'create' ? [...errors, ...validateApproval(spec?.group ?? '', metadata.annotations, path)] : errors;
  },
  validateUpdate({ metadata, spec }, old, path) {
    const at = path.child('spec');
    const isSameApproval = approvalOf(metadata.annotations) === approvalOf(old.metadata.annotations);
    const errors = [
      ...(isSameApproval ? [] : validateApproval(spec?.group ?? '', metadata.annotations, path)),
      ...validateImmutable(at.child('group'), spec?.group, old.spec?.group),
      ...validateImmutable(at.child('names', 'plural'), spec?.names?.plural, old.spec?.names?.plural),
    ];
    if (!isConditionTrue(old.status?.conditions ?? [], 'Established')) return errors;
    // Objects may exist.
    return [
      ...errors,
      ...validateImmutable(at.child('scope'), spec?.scope, old.spec?.scope),
      ...validateImmutable(at.child('names', 'kind'), spec?.names?.kind, old.spec?.names?.kind),
    ];
  },
  validateStatusUpdate: ({ status }, _old, path) => validateDefinitionNames(status?.acceptedNames, path.child('status', 'acceptedNames')),
});

/** Objects may be stored in all versions that are listed, so that each has to be among those of the spec. */
function validateStoredVersions(
  stored: readonly string[],
  versions: DeepReadonly<CustomResourceDefinition['spec']['versions']>,
  path: FieldPath,
): FieldError[] {
  if (stored.length === 0) return [invalid(path, stored, 'must have at least one stored version')];
  const known = new Set(versions.map(({ name }) => name));
  const errors = versions
    .filter(({ name, storage }) => storage && !stored.includes(name))
    .map(({ name }) => invalid(path, stored, `must have the storage version ${name}`));
  for (const [index, version] of stored.entries()) {
    if (hasEnoughErrors(errors)) break;
    if (!known.has(version)) errors.push(invalid(path.index(index), version, 'must appear in spec.versions'));
  }
  return errors;
}

const approvalAnnotation = 'api-approved.kubernetes.io';
const approvalRule = `protected groups must have approval annotation "${approvalAnnotation}"`;
const approvalPage = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** The approval of an API in a group of the Kubernetes community, from the CRD's annotation. */
function approvalOf(annotations: DeepReadonly<Record<string, string>> | undefined): 'missing' | 'bypassed' | 'approved' | 'invalid' {
  const text = annotations?.[approvalAnnotation] ?? '';
  if (text === '') return 'missing';
  if (text.startsWith('unapproved')) return 'bypassed';
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(text) ? 'approved' : 'invalid';
}

function validateApproval(group: string, annotations: DeepReadonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return [];
  const at = path.child('metadata', 'annotations').key(approvalAnnotation);
  switch (approvalOf(annotations)) {
    case 'missing':
      return [required(at, `${approvalRule}, ${approvalPage}`)];
    case 'invalid':
      return [
        invalid(
          at,
          annotations?.[approvalAnnotation],
          `${approvalRule} with either a URL or a reason starting with "unapproved", ${approvalPage}`,
        ),
      ];
    default:
      return [];
  }
}
