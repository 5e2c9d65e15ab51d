import type { FieldMatcher } from '../../../api/selectors/field-selector.ts';
import type { LabelOperator, LabelRequirement } from '../../../api/selectors/label-requirement.ts';
import type { ResourceAttributes, SubjectAccessReviewSpec } from '../../../api/types/authorization-v1.ts';
import type { AuthorizationAttributes } from './authorizer.ts';

/** The request's attributes as the spec of a SubjectAccessReview. Fields are in the order of the Go type, without empty ones. */
export function reviewSpecOf(attributes: AuthorizationAttributes): SubjectAccessReviewSpec {
  const { user, verb, path, isResourceRequest } = attributes;
  return {
    ...(isResourceRequest
      ? { resourceAttributes: resourceAttributesOf(attributes) }
      : { nonResourceAttributes: { ...(path === '' ? {} : { path }), ...(verb === '' ? {} : { verb }) } }),
    ...(user.name === '' ? {} : { user: user.name }),
    ...(user.groups.length === 0 ? {} : { groups: [...user.groups] }),
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: sortedExtra(user.extra) }),
    ...(user.uid ? { uid: user.uid } : {}),
  };
}

function resourceAttributesOf(attributes: AuthorizationAttributes): ResourceAttributes {
  const { namespace, verb, apiGroup, apiVersion, resource, subresource, name, fields, labels } = attributes;
  const fieldRequirements = fieldRequirementsOf(fields);
  const labelRequirements = labels === undefined ? [] : labelRequirementsOf(labels());
  return {
    ...(namespace === '' ? {} : { namespace }),
    ...(verb === '' ? {} : { verb }),
    ...(apiGroup === '' ? {} : { group: apiGroup }),
    ...(apiVersion === '' ? {} : { version: apiVersion }),
    ...(resource === '' ? {} : { resource }),
    ...(subresource === '' ? {} : { subresource }),
    ...(name === '' ? {} : { name }),
    ...(fieldRequirements.length === 0 ? {} : { fieldSelector: { requirements: fieldRequirements } }),
    ...(labelRequirements.length === 0 ? {} : { labelSelector: { requirements: labelRequirements } }),
  };
}

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

function fieldRequirementsOf(fields: FieldMatcher | undefined): Requirement[] {
  return (fields?.requirements ?? []).map(({ field, operator, value }) => ({
    key: field,
    operator: operator === '=' ? 'In' : 'NotIn',
    values: [value],
  }));
}

const operators: Readonly<Partial<Record<LabelOperator, string>>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** Requirements that a review cannot express (gt, lt) are left out: each of them only narrows the request. */
function labelRequirementsOf(requirements: readonly LabelRequirement[]): Requirement[] {
  return requirements.flatMap(({ key, operator: sign, values }) => {
    const operator = operators[sign];
    return operator === undefined ? [] : [{ key, operator, ...(values.length === 0 ? {} : { values: [...values] }) }];
  });
}

/** Go writes maps in the order of their keys; the same user is then the same text. */
function sortedExtra(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.keys(extra)
      .toSorted()
      .map((key) => [key, [...(extra[key] ?? [])]]),
  );
}
