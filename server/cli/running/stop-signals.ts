import type { StopOrder } from '../../../node-agent/stop-order.ts';

/** The signals that stop a process with a cluster. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof stopSignals)[number];

/** The settings of `up` and `agent` about their end. */
export interface StopFlags {
  readonly leavePodsRunning: boolean;
  /** Milliseconds. */
  readonly stopGracePeriod: number;
}

/** The circumstances that decide how the process stops. */
interface StopCircumstances {
  readonly flags: StopFlags;
  /** The request of `kubets stop`, if there was one. */
  readonly request: { readonly pods: boolean; readonly graceSeconds: number } | undefined;
  /** Whether the whole machine is shutting down. */
  readonly isMachineStopping: boolean;
}

/** At a shutdown of the machine, Pods that have not ended yet are ended within this time: systemd would wait 90 s for them. */
const machineGraceSeconds = 30;

/** Decides whether Pods are stopped, and within what time. */
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

/** A second signal within this time counts as the same one: a terminal sends it to all of its programs, and npm and others pass it on. */
const sameWithinMs = 1000;

/**
 * Resolves with the first signal to stop. A second signal, from an impatient user, calls `onImpatience`; the end of the terminal does not.
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
