import { podCgroupName } from '../../resources/pod-resources.ts';
import { podLogDirectory } from '../../node-paths.ts';
import type { PodState } from '../pod-state.ts';
import { removeFromRuntime } from '../remove-from-runtime.ts';

/** How long processes take that were killed. */
const killedMs = 50;

/** The last status is told, everything is cleared away, and the Pod is taken out of the API: its name is free again. */
export const removing: PodState = async ({ pod, runtimePod, record, services }) => {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const { runtime, volumes, files, paths } = services;
  if (!record.isGone) await services.statusWritten(uid);
  const cgroup = podCgroupName(services.cgroupRoot, pod);
  await removeFromRuntime(runtime, runtimePod, () => services.cgroups.kill(cgroup));
  if (!(await services.cgroups.remove(cgroup))) {
    await services.cgroups.kill(cgroup);
    return { to: 'removing', againAfterMs: killedMs };
  }
  await volumes.tearDown(uid);
  await files.remove(podLogDirectory(paths, { name, namespace, uid }));
  if (!record.isGone) await services.deleteFromAPI(pod);
  return { to: 'removed', againAfterMs: 0 };
};
