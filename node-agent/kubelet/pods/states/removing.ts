import { podCgroupName } from '../../resources/pod-resources.ts';
import { podLogDirectory } from '../../../node-paths.ts';
import { isRunning } from '../../runtime/runtime-pod.ts';
import type { PodState } from '../pod-state.ts';
import { removeFromRuntime } from '../remove-from-runtime.ts';

/** How long processes take that were killed. */
const killedMs = 50;
const defaultGraceSeconds = 30;

/** Writes the last status, removes everything, and deletes the Pod from the API: its name is free again. */
export const removing: PodState = async ({ pod, runtimePod, record, services }) => {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const { runtime, volumes, files, paths, logger } = services;
  if (!record.isGone) await services.statusWritten(uid);
  const cgroup = podCgroupName(services.cgroupNames, pod);
  const kill = async (reason: string) => {
    logger.warn('kills the processes of a cgroup', { cgroup, pod: `${namespace}/${name}`, uid, reason });
    await services.cgroups.kill(cgroup);
  };
  const alive = runtimePod.containers.filter(isRunning);
  if (alive.length > 0) {
    // The runtime did not list them when the Pod's containers were stopped.
    logger.warn('stops containers of a Pod that had none any more', { pod: `${namespace}/${name}`, uid, containers: alive.length });
    const graceSeconds = record.termination?.graceSeconds ?? defaultGraceSeconds;
    await Promise.all(alive.map(({ id }) => runtime.stopContainer(id, graceSeconds)));
    return { to: 'removing', againAfterMs: 0 };
  }
  await removeFromRuntime(runtime, runtimePod, () => kill('the runtime can neither stop nor remove its container'));
  if (!(await services.cgroups.remove(cgroup))) {
    await kill('the Pod is deleted, its containers have been stopped and removed, and processes are left');
    return { to: 'removing', againAfterMs: killedMs };
  }
  await volumes.tearDown(uid);
  await files.remove(podLogDirectory(paths, { name, namespace, uid }));
  if (!record.isGone) await services.deleteFromAPI(pod);
  return { to: 'removed', againAfterMs: 0 };
};
