import type { Filter, RequestInfo } from '../request/request-context.ts';

/** 3 MiB, as upstream: the largest body of a request that is not passed on to someone else. */
const maxBodyBytes = 3 * 1024 * 1024;

const withBody: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Reads the body of a request after the client was authenticated and authorized. Bodies for other servers are passed on as they arrive. */
export const requestBody: Filter = (next) => async (context) => {
  const { incoming, ...request } = context.request;
  if (incoming && !context.isDelegated && takesBody(context.info)) {
    const body = await incoming.read(maxBodyBytes, context.user.name);
    context.request = body.length > 0 ? { ...request, body } : request;
  }
  return next(context);
};

function takesBody({ isResourceRequest, verb, subresource }: RequestInfo): boolean {
  return isResourceRequest && withBody.has(verb) && subresource !== 'proxy';
}
