import type { Filter } from '../request/request-context.ts';

/** Answers depend on the user, so no cache may keep them unless the endpoint allows it. */
export const cacheControl: Filter = (next) => async (context) => {
  const response = await next(context);
  if (response.headers['cache-control'] !== undefined || response.status === 101) return response;
  return { ...response, headers: { 'cache-control': 'no-cache, private', ...response.headers } };
};
