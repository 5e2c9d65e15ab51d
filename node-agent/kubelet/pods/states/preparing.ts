import { activeSandbox } from '../../runtime/runtime-pod.ts';
import { podCgroupLimits, podCgroupName } from '../../resources/pod-resources.ts';
import { VolumeError } from '../../volumes/volume-error.ts';
import { retryDelay } from '../pod-record.ts';
import type { PodState } from '../pod-state.ts';
import { addressesOf } from '../pod-addresses.ts';

/** Prepares the Pod's cgroup and its volumes, which a sandbox needs. */
export const preparing: PodState = async ({ pod, runtimePod, record, services, events }) => {
  const { cgroups, cgroupNames, podCgroupRules, volumes, files, paths } = services;
  // The first step and the last to be undone: an agent recognizes its own Pods by their folder if others have Pods on this machine.
  await files.makeDirectory(`${paths.pods}/${pod.metadata.uid}`, { mode: 0o750 });
  await services.weighClasses();
  if (!activeSandbox(runtimePod)) await cgroups.ensure(podCgroupName(cgroupNames, pod), podCgroupLimits(pod, podCgroupRules));
  try {
    record.volumesAreStale = false;
    record.volumes = await volumes.setUp(pod, addressesOf(pod, runtimePod, services));
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    events().event('Warning', 'FailedMount', error.message);
    return { to: 'preparing', againAfterMs: retryDelay(record, 'volumes') };
  }
  record.hasFailed.delete('volumes');
  try {
    await services.claims.prepare(pod);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    events().event('Warning', 'FailedPrepareDynamicResources', `Failed to prepare dynamic resources: ${problem}`);
    return { to: 'preparing', againAfterMs: retryDelay(record, 'claims') };
  }
  record.hasFailed.delete('claims');
  return { to: 'sandboxing', againAfterMs: 0, leavesRuntime: true };
};
