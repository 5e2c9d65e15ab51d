import { isSemanticallyEqual } from '../../../base/equality.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { isConditionTrue, withCondition } from '../../../meta/conditions.ts';
import { formatTime } from '../../../meta/time.ts';
import type { CustomResourceDefinition } from '../../../types/apiextensions-v1.ts';
import { invalid, hasEnoughErrors } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateDefinitionSpec } from './definition-spec.ts';
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
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  prepareForCreate(definition) {
    const stored = (definition.spec?.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
    definition.status = { ...definition.status, storedVersions: stored, acceptedNames: { plural: '', kind: '' }, conditions: [] };
  },
  prepareForUpdate(definition, old, { subresource }) {
    if (subresource !== '') return;
    // A version that is stored in stays among those that objects may be stored in, until it is taken out by hand.
    const stored = new Set(old.status?.storedVersions);
    for (const { name, storage } of definition.spec?.versions ?? []) if (storage) stored.add(name);
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
  validate({ metadata, spec }, path) {
    const errors = validateDefinitionSpec(spec, path.child('spec'));
    const required = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`;
    if (metadata.name !== required)
      errors.unshift(invalid(path.child('metadata', 'name'), metadata.name, 'must be spec.names.plural+"."+spec.group'));
    return errors;
  },
  validateUpdate({ spec }, old, path) {
    const at = path.child('spec');
    const errors = [
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
  validateStatusUpdate({ spec, status }, old, path) {
    const stored = status?.storedVersions ?? [];
    const at = path.child('status', 'storedVersions');
    if (isSemanticallyEqual(stored, old.status?.storedVersions ?? [])) return [];
    if (stored.length === 0) return [invalid(at, stored, 'must have at least one stored version')];
    const storage = (spec?.versions ?? []).find((version) => version.storage)?.name ?? '';
    const errors = stored.includes(storage) ? [] : [invalid(at, stored, `must have the storage version ${storage}`)];
    const known = new Set((spec?.versions ?? []).map(({ name }) => name));
    for (const [index, version] of stored.entries()) {
      if (hasEnoughErrors(errors)) break;
      if (!known.has(version)) errors.push(invalid(at.index(index), version, 'must appear in spec.versions'));
    }
    return errors;
  },
});
