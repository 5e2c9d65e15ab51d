import type { CustomResourceDefinition } from '../../types/apiextensions-v1.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

function defaultCustomResourceDefinition(definition: CustomResourceDefinition): void {
  const { names, versions } = definition.spec;
  names.singular ||= names.kind.toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  const status = (definition.status ??= {});
  const stored = versions.find((version) => version.storage);
  if (!status.storedVersions?.length && stored) status.storedVersions = [stored.name];
}

export const apiextensionsDefaults: ConditionalDefaults = [
  ['io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition', defaultCustomResourceDefinition],
];
