import { differenceOf, outcomeOf, type Outcome } from './compare-outcomes.ts';
import type { UpstreamAnswer } from '../custom-resources/upstream-server.ts';
import { deviationOf } from './extension-deviations.ts';
import type { BothRequest, TwoServers } from './two-servers.ts';

/** Findings of a part of the run. */
export interface Comparison {
  requests: number;
  equal: number;
  /** Requests that kube-apiserver refused. */
  refused: number;
  readonly differences: Difference[];
}

export interface Difference {
  readonly request: BothRequest;
  readonly parts: Partial<Record<keyof Outcome, readonly [unknown, unknown]>>;
  readonly status: number;
  /** The reason of a difference that is one of versions or of design. */
  readonly deviation?: string;
  readonly context?: unknown;
}

export const newComparison = (): Comparison => ({ requests: 0, equal: 0, refused: 0, differences: [] });

/** The answer of kube-apiserver, and those of both as they came. */
interface Compared {
  readonly status: number;
  readonly raw: readonly [UpstreamAnswer, UpstreamAnswer];
  /** Whether both have stored something, the name of which is `name`. */
  readonly isWrite: boolean;
  readonly name: string | undefined;
}

/** Sends a request to both and notes the difference. `context` is shown with it. */
export async function compareRequest(
  servers: TwoServers,
  comparison: Comparison,
  request: BothRequest,
  context?: unknown,
): Promise<Compared> {
  const raw = await servers.send(request);
  const [theirs, ours] = [outcomeOf(raw[0]), outcomeOf(raw[1])];
  comparison.requests++;
  if (theirs.status >= 400) comparison.refused++;
  const parts = differenceOf(theirs, ours);
  if (!parts) comparison.equal++;
  else {
    const deviation = deviationOf({ request, theirs, ours });
    comparison.differences.push({
      request,
      parts,
      status: theirs.status,
      ...(deviation === undefined ? {} : { deviation }),
      ...(context === undefined ? {} : { context }),
    });
  }
  const isWrite = request.method !== 'GET' && !request.path.includes('dryRun') && raw.every(({ status }) => status < 300);
  const { name } = (raw[0].body['metadata'] ?? {}) as { name?: string };
  return { status: theirs.status, raw, isWrite, name };
}

const lanes = 8;

/** Runs `work` for 0 to `count` - 1, eight at a time. */
export async function inLanes(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let at = 0;
  const lane = async () => {
    while (at < count) await work(at++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
