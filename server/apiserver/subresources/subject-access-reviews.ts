import { invalid } from '../../../api/meta/status-errors.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { localSubjectAccessReviews as localDefinition } from '../../../api/resources/authorization/v1/local-subject-access-review.ts';
import { selfSubjectAccessReviews as selfDefinition } from '../../../api/resources/authorization/v1/self-subject-access-review.ts';
import { subjectAccessReviews as definition } from '../../../api/resources/authorization/v1/subject-access-review.ts';
import type {
  LocalSubjectAccessReview,
  NonResourceAttributes,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from '../../../api/types/authorization-v1.ts';
import { type FieldError, invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import { formatErrors } from '../authorization/union-authorizer.ts';
import { defineReview } from './review.ts';
import { readReviewSelectors, validateReviewSelectors } from './review-selectors.ts';

const specPath = FieldPath.root.child('spec');
const resourcePath = specPath.child('resourceAttributes');
const group = 'authorization.k8s.io';

/** May this user do that? */
export const subjectAccessReviews = defineReview<SubjectAccessReview>(definition, async (review, { signal }, { authorizer }) => {
  refuse([...attributeErrors(review.spec), ...subjectErrors(review.spec), ...selectorErrors(review.spec), ...metadataErrors(review)]);
  review.status = await decide(authorizer, subjectOf(review.spec), review.spec, signal);
});

/** SubjectAccessReview within one namespace, for users who have rights in that namespace only. */
export const localSubjectAccessReviews = defineReview<LocalSubjectAccessReview>(
  localDefinition,
  async (review, context, { authorizer }) => {
    const { spec } = review;
    const errors = [...attributeErrors(spec), ...subjectErrors(spec), ...selectorErrors(spec)];
    if (spec.resourceAttributes && (spec.resourceAttributes.namespace ?? '') !== context.info.namespace) {
      const message = 'must match metadata.namespace';
      errors.push(invalidField(specPath.child('resourceAttributes').child('namespace'), spec.resourceAttributes.namespace ?? '', message));
    }
    if (spec.nonResourceAttributes)
      errors.push(invalidField(specPath.child('nonResourceAttributes'), spec.nonResourceAttributes, 'disallowed on this kind of request'));
    refuse([...errors, ...metadataErrors(review, context.info.namespace)]);
    review.status = await decide(authorizer, subjectOf(spec), spec, context.signal);
  },
);

/** May I do that? */
export const selfSubjectAccessReviews = defineReview<SelfSubjectAccessReview>(selfDefinition, async (review, context, { authorizer }) => {
  refuse([...attributeErrors(review.spec), ...selectorErrors(review.spec), ...metadataErrors(review)]);
  review.status = await decide(authorizer, context.user, review.spec, context.signal);
});

interface Attributes {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

/** Upstream does not say of which kind it is. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group, kind: '' }, '', errors);
}

/** A review is not stored, so it must have no name and no other metadata that identifies it. */
function metadataErrors({ metadata }: Pick<KubeObject, 'metadata'>, namespace?: string): FieldError[] {
  const { managedFields: _managed, creationTimestamp: _created, ...rest } = metadata;
  const own = Object.entries(rest).filter(([field, value]) => field !== 'namespace' && value !== '' && value !== undefined);
  if (own.length === 0 && (namespace !== undefined || !rest.namespace)) return [];
  return [
    invalidField(
      FieldPath.root.child('metadata'),
      metadata,
      namespace === undefined ? 'must be empty' : 'must be empty except for namespace',
    ),
  ];
}

function selectorErrors({ resourceAttributes }: Attributes): FieldError[] {
  return resourceAttributes ? validateReviewSelectors(resourceAttributes, resourcePath) : [];
}

function attributeErrors({ resourceAttributes, nonResourceAttributes }: Attributes): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const message = 'cannot be specified in combination with resourceAttributes';
    return [invalidField(specPath.child('nonResourceAttributes'), nonResourceAttributes, message)];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  return [
    invalidField(
      specPath.child('resourceAttributes'),
      null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ),
  ];
}

function subjectErrors({ user = '', groups = [] }: SubjectAccessReviewSpec): FieldError[] {
  return user === '' && groups.length === 0
    ? [invalidField(specPath.child('user'), user, 'at least one of user or group must be specified')]
    : [];
}

function subjectOf({ user = '', groups = [], uid, extra }: SubjectAccessReviewSpec): UserInfo {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

async function decide(
  authorizer: Authorizer,
  user: UserInfo,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<SubjectAccessReviewStatus> {
  const { problems, ...selection } = attributes.resourceAttributes
    ? readReviewSelectors(attributes.resourceAttributes, resourcePath)
    : { problems: [] };
  const { decision, reason, error } = await authorizer.authorize({ ...toAttributes(user, attributes), ...selection }, signal);
  const evaluationError = formatErrors([...(error === undefined ? [] : [error]), ...problems]);
  return {
    allowed: decision === 'Allow',
    ...(decision === 'Deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(evaluationError === '' ? {} : { evaluationError }),
  };
}

function toAttributes(user: UserInfo, { resourceAttributes, nonResourceAttributes }: Attributes): AuthorizationAttributes {
  return {
    user,
    isResourceRequest: resourceAttributes !== undefined,
    verb: resourceAttributes?.verb ?? nonResourceAttributes?.verb ?? '',
    namespace: resourceAttributes?.namespace ?? '',
    apiGroup: resourceAttributes?.group ?? '',
    apiVersion: resourceAttributes?.version ?? '*',
    resource: resourceAttributes?.resource ?? '',
    subresource: resourceAttributes?.subresource ?? '',
    name: resourceAttributes?.name ?? '',
    path: nonResourceAttributes?.path ?? '',
  };
}
