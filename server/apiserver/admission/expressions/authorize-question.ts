import type { AuthorizationAnswer, AuthorizationQuestion } from '../../../../api/cel/libraries/authorizer.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { parseFieldSelector } from '../../../../api/selectors/field-selector.ts';
import { SelectorError } from '../../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../../api/selectors/parse-label-selector.ts';
import type { AuthorizationAttributes, Authorizer } from '../../authorization/authorizer.ts';

/** Asks the authorizer the question of an expression: of the user of the request, or of the service account that it names. */
export async function authorizeQuestion(
  authorizer: Authorizer,
  user: UserInfo,
  question: AuthorizationQuestion,
  signal: AbortSignal,
): Promise<AuthorizationAnswer> {
  const { decision, reason, error } = await authorizer.authorize(attributesOf(question, user), signal);
  return { isAllowed: decision === 'Allow', reason, ...(error === undefined ? {} : { error }) };
}

function attributesOf(question: AuthorizationQuestion, user: UserInfo): AuthorizationAttributes {
  const { serviceAccount, path, verb, group, resource, subresource, namespace, name, fieldSelector, labelSelector } = question;
  // A selector that cannot be read does not narrow the question, as in a request.
  const fields = fieldSelector === undefined ? undefined : attempt(() => parseFieldSelector(fieldSelector));
  const labels = labelSelector === undefined ? undefined : attempt(() => parseLabelSelector(labelSelector).requirements);
  return {
    user: serviceAccount ? userOfServiceAccount(serviceAccount) : user,
    verb,
    isResourceRequest: path === undefined,
    namespace,
    apiGroup: group,
    apiVersion: path === undefined ? '*' : '',
    resource,
    subresource,
    name,
    path: path ?? '',
    ...(fields ? { fields } : {}),
    ...(labels ? { labels: () => labels } : {}),
  };
}

function userOfServiceAccount({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
