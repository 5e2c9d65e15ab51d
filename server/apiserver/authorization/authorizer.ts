import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { FieldMatcher } from '../../../api/selectors/field-selector.ts';
import type { LabelRequirement } from '../../../api/selectors/label-requirement.ts';

/** The question to an authorizer: may this user do that (authorization.k8s.io ResourceAttributes and NonResourceAttributes). */
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
  /** The selectors of a list, watch or deletecollection; absent where there are none, or they cannot be read. */
  readonly fields?: FieldMatcher;
  /** The same of its label selector, read when an authorizer asks; empty where there is none, or it cannot be read. */
  readonly labels?: () => readonly LabelRequirement[];
}

export interface AuthorizationDecision {
  readonly decision: 'Allow' | 'Deny' | 'NoOpinion';
  readonly reason: string;
  /** A failure of an authorizer on the way to the decision. A request that is not allowed is then answered 500 instead of 403. */
  readonly error?: string;
}

export interface Authorizer {
  /** Most authorizers decide at once. The signal ends the wait of others. */
  authorize(attributes: AuthorizationAttributes, signal?: AbortSignal): AuthorizationDecision | Promise<AuthorizationDecision>;
}
