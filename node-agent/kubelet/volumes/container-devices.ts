import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { DeviceConfig } from '../../cri/messages.ts';
import { ContainerConfigError } from '../containers/config-error.ts';
import { isReadOnly } from './container-mounts.ts';
import type { MountedVolumes } from './pod-volumes.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

/** The block volumes of a Pod that one container uses as devices. */
export function containerDevices(pod: DeepReadonly<Pod>, container: AnyContainer, volumes: MountedVolumes): DeviceConfig[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const host_path = volumes.get(name);
    if (host_path === undefined) throw new ContainerConfigError(`cannot find volume "${name}" to pass into container "${container.name}"`);
    return { container_path: devicePath, host_path, permissions: isReadOnly(pod, name) ? 'r' : 'mrw' };
  });
}
