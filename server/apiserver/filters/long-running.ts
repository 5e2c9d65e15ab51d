import type { RequestInfo } from '../request/request-context.ts';

const subresources: ReadonlySet<string> = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

/** Whether a request may last for as long as its client likes; such requests have no timeout and count against no limit. */
export function isLongRunning(info: RequestInfo): boolean {
  if (info.verb === 'watch' || info.verb === 'proxy') return true;
  return info.isResourceRequest && subresources.has(info.subresource);
}
