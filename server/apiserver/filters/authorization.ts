import { forbidden } from '../../../api/meta/status-errors.ts';
import { quote } from '../../../api/base/quote.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import { parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import { SelectorError } from '../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import type { AccessMetrics } from '../metrics/access-metrics.ts';
import { internalErrorResponse } from '../responses/error-response.ts';
import type { Filter, RequestContext } from '../request/request-context.ts';

const narrowedVerbs: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

/** Passes requests that the authorizer allows; answers 403 to all others. */
export function authorization(authorizer: Authorizer, metrics: AccessMetrics): Filter {
  return (next) => async (context) => {
    const attributes = attributesOf(context);
    const startMs = context.clock.monotonicMs();
    const { decision, reason, error } = await authorizer.authorize(attributes, context.signal);
    const tookMs = context.clock.monotonicMs() - startMs;
    metrics.authorized(error !== undefined && decision !== 'Allow' ? 'error' : decision, tookMs / 1000);
    context.audit?.addLatency('authorization', tookMs);
    if (error !== undefined && decision !== 'Allow') {
      context.audit?.annotate('authorization.k8s.io/reason', 'internal error');
      return internalErrorResponse(context.request, error);
    }
    context.audit?.annotate('authorization.k8s.io/decision', decision === 'Allow' ? 'allow' : 'forbid');
    context.audit?.annotate('authorization.k8s.io/reason', reason);
    if (decision !== 'Allow') throw forbiddenError(attributes, reason);
    return next(context);
  };
}

export function attributesOf(context: RequestContext): AuthorizationAttributes {
  const { info, query } = context;
  // Below the prefix watch/ selectors are ignored here, as not all requests there use them.
  const isNarrowed = narrowedVerbs.has(info.verb) && !info.isWatchPath;
  const selector = isNarrowed ? query.get('fieldSelector') : null;
  const fields = selector === null ? undefined : readable(() => parseFieldSelector(selector));
  const labels = isNarrowed ? query.get('labelSelector') : null;
  return {
    ...attributesWithoutSelectors(context),
    ...(fields ? { fields } : {}),
    ...(labels ? { labels: () => readable(() => parseLabelSelector(labels))?.requirements ?? [] } : {}),
  };
}

export function attributesWithoutSelectors({ info, user }: RequestContext): Omit<AuthorizationAttributes, 'fields' | 'labels'> {
  const { verb, isResourceRequest, namespace, apiGroup, apiVersion, resource, subresource, name, path } = info;
  return { user, verb, isResourceRequest, namespace, apiGroup, apiVersion, resource, subresource, name, path };
}

/** The parsed value; a value that cannot be parsed does not narrow the request here, and the endpoint refuses it. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
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
