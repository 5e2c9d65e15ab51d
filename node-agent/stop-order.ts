/** How the agent is to stop. */
export interface StopOrder {
  /** Whether the Pods end with it; otherwise they go on, and the next agent adopts them. */
  readonly pods: boolean;
  /** The seconds for all Pods together, which are stopped one after another by priority. 0: they are killed. */
  readonly graceSeconds: number;
  /** The end of that time, for critical Pods alone. */
  readonly criticalGraceSeconds: number;
}

export function formatStopOrder({ pods, graceSeconds, criticalGraceSeconds }: StopOrder): string {
  return JSON.stringify({ stop: { pods, graceSeconds, criticalGraceSeconds } });
}

/** Parses an order to stop from a line; undefined for other lines. */
export function findStopOrder(line: string): StopOrder | undefined {
  try {
    const { stop } = JSON.parse(line) as { readonly stop?: Partial<StopOrder> };
    if (typeof stop?.pods !== 'boolean') return undefined;
    return { pods: stop.pods, graceSeconds: secondsOf(stop.graceSeconds), criticalGraceSeconds: secondsOf(stop.criticalGraceSeconds) };
  } catch {
    return undefined; // no JSON object
  }
}

function secondsOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
