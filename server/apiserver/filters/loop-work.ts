import type { LoopWatch } from '../../../api/base/loop-watch.ts';
import type { Filter, RequestContext } from '../request/request-context.ts';

const maxAgentLength = 100;

/** Tells the watch over the event loop that work on a request begins, or continues after a wait. */
export function loopWork(loop: Pick<LoopWatch, 'begins'>): Filter {
  return (next) => (context) => {
    loop.begins('request', () => describe(context));
    return next(context);
  };
}

function describe({ info, request }: RequestContext): string {
  const { verb, resource, subresource, isResourceRequest, path } = info;
  const what = isResourceRequest ? `${resource}${subresource === '' ? '' : `/${subresource}`}` : path.slice(0, maxAgentLength);
  return `${verb} ${what} (${(request.headers['user-agent'] ?? '').slice(0, maxAgentLength)})`;
}
