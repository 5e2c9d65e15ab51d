import type { RequestContext, RequestInfo } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';

/** How much of the server a request takes up, in seats. */
export interface WorkEstimate {
  /** While it is executed. */
  readonly initialSeats: number;
  /** Afterwards, while its change is on the way to those who watch. */
  readonly finalSeats: number;
  readonly additionalLatencyMs: number;
}

/** The data that estimates are made from. */
export interface WorkStatistics {
  /** Statistics of a stored resource, e.g. `deployments.apps`; undefined if it is none. */
  stored(groupResource: string): { readonly count: number; readonly averageBytes: number } | undefined;
  /** The number of open watches that the request's change concerns. */
  interestedWatches(info: RequestInfo): number;
}

const oneSeat: WorkEstimate = { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0 };
const maxListSeats = 100;
const maxMutatingSeats = 10;
const bytesPerSeat = 100_000;
/** A list out of the cache is sent bit by bit, and never in memory as a whole. */
const maxStreamedBytes = 1_000_000;
const watchesPerSeat = 10;
const eventMs = 5;

const mutating: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/**
 * The work of a request by upstream's estimate (v1.36: lists by the size of what they read). `maxSeats` is the priority level's limit for
 * one request; undefined: no limit.
 */
export function estimateWork(context: RequestContext, maxSeats: number | undefined, statistics: WorkStatistics): WorkEstimate {
  const { verb } = context.info;
  if (verb === 'list' || (verb === 'watch' && isTrue(context.query.get('sendInitialEvents')))) {
    const seats = listSeats(context, statistics);
    return seats <= 1 ? oneSeat : { ...oneSeat, initialSeats: Math.min(seats, maxSeats ?? maxListSeats, maxListSeats) };
  }
  if (!mutating.has(verb) || (context.info.resource === 'serviceaccounts' && context.info.subresource === 'token')) return oneSeat;
  const watches = statistics.interestedWatches(context.info);
  if (watches < watchesPerSeat) return oneSeat;
  const wanted = Math.ceil(watches / watchesPerSeat);
  const finalSeats = Math.min(wanted, maxSeats ?? maxMutatingSeats, maxMutatingSeats);
  return { initialSeats: 1, finalSeats, additionalLatencyMs: (wanted * eventMs) / finalSeats };
}

function listSeats({ info, query }: RequestContext, statistics: WorkStatistics): number {
  const stored = statistics.stored(info.apiGroup === '' ? info.resource : `${info.resource}.${info.apiGroup}`);
  if (stored === undefined) return 1;
  const limit = Number(query.get('limit') ?? 0);
  const limited = limit > 0 && limit < stored.count ? limit : stored.count;
  const isCached = info.verb === 'watch' || !readsThePast(query, limit);
  let objects = limited;
  if (info.name !== '') objects = 1;
  else if (!isCached && (query.get('fieldSelector') || query.get('labelSelector'))) objects = Math.max(limited, stored.count / 2);
  const bytes = objects * stored.averageBytes;
  return Math.ceil((isCached ? Math.min(bytes, maxStreamedBytes) : bytes) / bytesPerSeat);
}

/** Whether the request is for a further page or an exact revision, which the present state of the cache does not answer. */
function readsThePast(query: URLSearchParams, limit: number): boolean {
  if (query.get('continue')) return true;
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  return match === 'Exact' || (match === '' && limit > 0 && version !== '' && version !== '0');
}
