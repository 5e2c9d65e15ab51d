import { forbidden } from '../../../api/meta/status-errors.ts';
import { quote } from '../../../api/base/quote.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import { type FieldMatcher, parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import { SelectorError } from '../../../api/selectors/label-selector.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import type { AccessMetrics } from '../metrics/access-metrics.ts';
import type { Filter, RequestContext } from '../request/request-context.ts';

const narrowedVerbs: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);
/** Probes must work whoever asks. */
const alwaysAllowedPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** Lets pass what the authorizer allows; 403 for all else. */
export function authorization(authorizer: Authorizer, metrics: AccessMetrics): Filter {
  return (next) => async (context) => {
    if (!context.info.isResourceRequest && alwaysAllowedPaths.has(context.info.path)) return next(context);
    const attributes = attributesOf(context);
    const startMs = context.clock.monotonicMs();
    const { decision, reason } = await authorizer.authorize(attributes);
    metrics.authorized(decision, (context.clock.monotonicMs() - startMs) / 1000);
    context.audit?.annotate('authorization.k8s.io/decision', decision === 'Allow' ? 'allow' : 'forbid');
    context.audit?.annotate('authorization.k8s.io/reason', reason);
    if (decision !== 'Allow') throw forbiddenError(attributes, reason);
    return next(context);
  };
}

export function attributesOf({ info, user, query }: RequestContext): AuthorizationAttributes {
  const { verb, isResourceRequest, namespace, apiGroup, apiVersion, resource, subresource, name, path } = info;
  const selector = narrowedVerbs.has(verb) ? query.get('fieldSelector') : null;
  const fields = selector === null ? undefined : readableFields(selector);
  return {
    user,
    verb,
    isResourceRequest,
    namespace,
    apiGroup,
    apiVersion,
    resource,
    subresource,
    name,
    path,
    ...(fields ? { fields } : {}),
  };
}

/** What cannot be read narrows nothing here; the endpoint refuses it. */
function readableFields(selector: string): FieldMatcher | undefined {
  try {
    return parseFieldSelector(selector);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

/** The 403 in upstream's words, e.g. `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "y"`. */
export function forbiddenError(attributes: AuthorizationAttributes, reason: string): StatusError {
  const tail = reason === '' ? '' : `: ${reason}`;
  const message = `${forbiddenMessage(attributes)}${tail}`;
  if (!attributes.isResourceRequest) return forbidden(undefined, '', message);
  return forbidden({ group: attributes.apiGroup, resource: attributes.resource }, attributes.name, message);
}

function forbiddenMessage(attributes: AuthorizationAttributes): string {
  const user = `User ${quote(attributes.user.name)} cannot ${attributes.verb}`;
  if (!attributes.isResourceRequest) return `${user} path ${quote(attributes.path)}`;
  const resource = attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const where = attributes.namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(attributes.namespace)}`;
  return `${user} resource ${quote(resource)} in API group ${quote(attributes.apiGroup)} ${where}`;
}
