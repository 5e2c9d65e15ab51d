import { sleep } from '../../../api/base/clock.ts';
import { findContainer } from '../../../api/semantics/pods/pod-containers.ts';
import { isCRINotFound } from '../../cri/cri-error.ts';
import { runHook } from '../containers/lifecycle-hooks.ts';
import { addressesOf } from './pod-addresses.ts';
import type { PodContext } from './pod-state.ts';

interface KillOrder {
  readonly id: string;
  readonly name: string;
  readonly message: string;
  readonly graceSeconds: number;
}

/** However late it is, a process gets this long between SIGTERM and SIGKILL. */
const minGraceSeconds = 2;

/** Stops one container: preStop hook and SIGTERM within the grace period, then SIGKILL. Resolves when it has ended. */
export async function killContainer(
  context: Pick<PodContext, 'pod' | 'runtimePod' | 'services' | 'events'>,
  order: KillOrder,
): Promise<void> {
  const { pod, runtimePod, services, events } = context;
  const { runtime, clock, version } = services;
  const { id, name, message, graceSeconds } = order;
  const container = findContainer(pod.spec, name);
  const startedMs = clock.monotonicMs();
  events(name).event('Normal', 'Killing', message);
  const handler = container?.lifecycle?.preStop;
  if (container && handler && graceSeconds > 0) {
    const podIP = addressesOf(pod, runtimePod, services).podIPs[0] ?? '';
    const abort = new AbortController();
    const hook = runHook({
      handler,
      container,
      containerID: id,
      podIP,
      runtime,
      clock,
      version,
      timeoutSeconds: graceSeconds,
      signal: abort.signal,
    }).catch((error: Error) => {
      if (!abort.signal.aborted) events(name).event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${error.message}`);
    });
    // A hook that takes longer than the grace period is left to itself.
    await Promise.race([hook, sleep(clock, graceSeconds * 1000, abort.signal).catch(() => undefined)]);
    abort.abort();
  }
  const remaining = Math.ceil(graceSeconds - (clock.monotonicMs() - startedMs) / 1000);
  try {
    await runtime.stopContainer(id, Math.max(remaining, minGraceSeconds));
  } catch (error) {
    if (!isCRINotFound(error)) throw error;
  }
}
