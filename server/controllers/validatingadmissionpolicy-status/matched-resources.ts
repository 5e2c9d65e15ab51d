import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ValidatingAdmissionPolicySpec } from '../../../api/types/admissionregistration-v1.ts';

/** A resource of a group and version, as a rule names it. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** The most combinations of group, version and resource that are considered for one policy. */
const maxResources = 100;

/** Resources that the rules of a policy name. Groups and versions with wildcards name none; subresources are left out. */
export function matchedResources({ matchConstraints }: DeepReadonly<ValidatingAdmissionPolicySpec>): NamedResource[] {
  const found: NamedResource[] = [];
  for (const { apiGroups = [], apiVersions = [], resources = [] } of matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) continue;
    const plain = resources.filter((name) => !/[*/]/.test(name)).toSorted();
    for (const group of apiGroups.toSorted())
      for (const version of apiVersions.toSorted())
        for (const resource of plain) if (found.length < maxResources) found.push({ group, version, resource });
  }
  return found;
}
