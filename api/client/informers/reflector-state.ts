import { StatusError } from '../../meta/status.ts';

/** The next action of a reflector. */
export type ReflectorState =
  /** A list. `resourceVersion` '0' accepts the state of the server's cache, '' demands the newest state. */
  | { readonly phase: 'listing'; readonly resourceVersion: string }
  /** A watch that begins with the existing objects (KEP-3157), in place of a list. */
  | { readonly phase: 'streaming'; readonly resourceVersion: string }
  /** A watch of the changes after `resourceVersion`. */
  | { readonly phase: 'watching'; readonly resourceVersion: string };

/** The result of one phase. */
export type ReflectorOutcome =
  | { readonly kind: 'listed'; readonly resourceVersion: string }
  /** The watch ended as watches do, or was cut; everything up to `resourceVersion` has been seen. */
  | { readonly kind: 'watch-ended'; readonly resourceVersion: string; readonly lastedMs: number; readonly eventCount: number }
  | { readonly kind: 'failed'; readonly error: unknown; readonly resourceVersion: string };

interface ReflectorStep {
  readonly state: ReflectorState;
  /** Wait for the next backoff first. */
  readonly backOff: boolean;
}

/** Watches that end sooner than this without an event are the sign of a server in trouble. */
const shortWatchMs = 1000;

/** The next step of a reflector: the whole table of its state machine. Pure. */
export function nextReflectorStep(state: ReflectorState, outcome: ReflectorOutcome, mayStream: boolean): ReflectorStep {
  const relist = (resourceVersion: string, backOff: boolean): ReflectorStep => ({
    state: { phase: mayStream && state.phase !== 'listing' ? 'streaming' : 'listing', resourceVersion },
    backOff,
  });
  if (outcome.kind === 'listed') return { state: { phase: 'watching', resourceVersion: outcome.resourceVersion }, backOff: false };
  if (outcome.kind === 'watch-ended') {
    const backOff = outcome.eventCount === 0 && outcome.lastedMs < shortWatchMs;
    if (state.phase === 'watching') return { state: { phase: 'watching', resourceVersion: outcome.resourceVersion }, backOff };
    return { state, backOff: true };
  }
  const { error } = outcome;
  if (state.phase === 'streaming' && isStreamingRefused(error)) {
    return { state: { phase: 'listing', resourceVersion: state.resourceVersion }, backOff: false };
  }
  if (isTooOld(error)) {
    // Asked for a version that is gone: only the newest is sure to be there.
    if (state.phase === 'watching') return relist('', false);
    return { state: { ...state, resourceVersion: '' }, backOff: state.resourceVersion === '' };
  }
  if (isTooLarge(error)) return { state: { ...state, resourceVersion: '' }, backOff: true };
  if (state.phase === 'watching' && isPassing(error)) {
    return { state: { phase: 'watching', resourceVersion: outcome.resourceVersion }, backOff: true };
  }
  if (state.phase === 'watching') return relist(outcome.resourceVersion, true);
  return { state, backOff: true };
}

/** 410: the version asked for has been compacted. */
function isTooOld(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

/** Whether the server answers that the resource version is too large: this server is behind the one that was asked before. */
function isTooLarge(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.reason === 'Timeout' || error.code === 504) &&
    (error.status.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge')
  );
}

/** Whether the error is temporary: no answer, or an overloaded or failing server. The store stays as it is, and the watch can resume. */
function isPassing(error: unknown): boolean {
  return !(error instanceof StatusError) || error.code === 429 || error.code >= 500;
}

function isStreamingRefused(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 400 || error.code === 422);
}
