import { isPodFinished } from '../../../../api/semantics/pods/pod-phase.ts';
import type { PodState } from '../pod-state.ts';

/** Decides whether the Pod may run here. A Pod that the runtime knows already was admitted before the agent restarted. */
export const admitting: PodState = async ({ pod, runtimePod, record, services, events }) => {
  if (isPodFinished(pod)) {
    record.isFinished = true;
    record.termination ??= { graceSeconds: pod.spec?.terminationGracePeriodSeconds ?? 30, reason: 'finished' };
    return { to: 'terminating', againAfterMs: 0 };
  }
  if (runtimePod.sandboxes.length === 0) {
    record.refusal = await services.refusalOf(pod);
    if (record.refusal) {
      events().event('Warning', record.refusal.reason, record.refusal.message);
      record.termination = { graceSeconds: 0, reason: 'refused' };
      return { to: 'terminating', againAfterMs: 0 };
    }
  }
  return { to: 'preparing', againAfterMs: 0, leavesRuntime: true };
};
