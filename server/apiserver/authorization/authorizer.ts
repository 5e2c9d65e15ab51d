import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { FieldMatcher } from '../../../api/selectors/field-selector.ts';

/** What is asked of an authorizer: may this user do that (authorization.k8s.io ResourceAttributes and NonResourceAttributes). */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly namespace: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly path: string;
  /** What a list, watch or deletecollection is narrowed to; absent where it is not, or cannot be read. */
  readonly fields?: FieldMatcher;
}

export interface AuthorizationDecision {
  readonly decision: 'Allow' | 'Deny' | 'NoOpinion';
  readonly reason: string;
}

export interface Authorizer {
  /** Most can say at once. */
  authorize(attributes: AuthorizationAttributes): AuthorizationDecision | Promise<AuthorizationDecision>;
}
