import type { APIResponse } from '../../../api/client/transport.ts';
import { plainResponse } from '../responses/error-response.ts';
import { dumps } from '../flowcontrol/dump.ts';
import type { FlowControl } from '../flowcontrol/flow-control.ts';
import type { RequestContext } from '../request/request-context.ts';

const prefix = '/debug/api_priority_and_fairness/';

/** The present state of API Priority and Fairness, as tables. There are no profiles: those paths are not served. */
export function createDebugEndpoint(flows: () => FlowControl): (context: RequestContext) => APIResponse | undefined {
  return ({ info, query, clock }) => {
    if (!info.path.startsWith(prefix)) return undefined;
    const dump = dumps[info.path.slice(prefix.length)];
    if (dump === undefined) return undefined;
    const times = () => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
    return plainResponse(200, dump(flows(), times, (query.get('includeRequestDetails') ?? '') !== ''));
  };
}
