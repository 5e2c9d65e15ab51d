import type { StopOrder } from '../../../node-agent/stop-order.ts';

/** The signals that tell a process with a cluster to stop. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof stopSignals)[number];

/** The settings of `up` and `agent` about their end. */
export interface StopFlags {
  readonly leavePodsRunning: boolean;
  /** Milliseconds. */
  readonly stopGracePeriod: number;
}

/** The circumstances that decide how a stop goes. */
interface StopCircumstances {
  readonly flags: StopFlags;
  /** The request of `kubets stop`, if there was one. */
  readonly request: { readonly pods: boolean; readonly graceSeconds: number } | undefined;
  /** The whole machine goes down. */
  readonly isMachineStopping: boolean;
}

/** With the machine Pods end within this time where nobody has ended them before: systemd would wait 90 s for them. */
const machineGraceSeconds = 30;

/** Decides whether Pods are stopped, and in what time. */
export function planStop({ flags, request, isMachineStopping }: StopCircumstances): StopOrder {
  if (request) return orderOf(request.pods, request.graceSeconds);
  if (!flags.leavePodsRunning) return orderOf(true, flags.stopGracePeriod / 1000);
  return isMachineStopping ? orderOf(true, machineGraceSeconds) : orderOf(false, 0);
}

function orderOf(pods: boolean, graceSeconds: number): StopOrder {
  return { pods, graceSeconds: pods ? graceSeconds : 0, criticalGraceSeconds: pods ? graceSeconds / 3 : 0 };
}

interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
}

/** A second signal so soon is the same one: a terminal sends it to all programs in it, and npm and others pass it on. */
const sameWithinMs = 1000;

/**
 * Resolves with the first signal that asks the process to stop. A second one, of an impatient person, calls `onImpatience`;
 * the end of the terminal is no such thing.
 */
export function untilSignalled(source: SignalSource, nowMs: () => number, onImpatience: () => void): Promise<StopSignal> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of stopSignals)
      source.on(signal, () => {
        if (firstMs === undefined) {
          firstMs = nowMs();
          resolve(signal);
        } else if (signal !== 'SIGHUP' && nowMs() - firstMs > sameWithinMs) onImpatience();
      });
  });
}
