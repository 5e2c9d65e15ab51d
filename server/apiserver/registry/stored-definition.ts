import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/** The definition of the version in which objects of a kind are stored. Throws where that is not among `definitions`. */
export function storedDefinition(definition: ResourceDefinition, definitions: readonly ResourceDefinition[]): ResourceDefinition {
  const version = definition.storageVersion;
  // The storage version of a custom kind need not be served, and its codec does without.
  if (!version || definition.schema) return definition;
  const found = definitions.find(
    (other) => other.group === version.group && other.version === version.version && other.names.kind === definition.names.kind,
  );
  if (!found)
    throw new Error(
      `${apiVersionOf(definition)} ${definition.names.kind} is stored as ${version.group}/${version.version}, which is not served`,
    );
  return found;
}
