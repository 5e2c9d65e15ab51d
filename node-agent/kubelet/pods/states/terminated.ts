import { podCgroupName } from '../../resources/pod-resources.ts';
import type { PodState } from '../pod-state.ts';

/** The state in which no container runs any more. The remains are kept for its logs and its status until the Pod is deleted. */
export const terminated: PodState = async ({ pod, record, services, probes }) => {
  probes.stop();
  record.waiting.clear();
  await services.volumes.release(pod.metadata.uid ?? '');
  await services.claims.release(pod);
  await services.cgroups.remove(podCgroupName(services.cgroupNames, pod));
  await services.weighClasses();
  if (record.isDeleted) return { to: 'removing', againAfterMs: 0 };
  return { to: 'terminated' };
};
