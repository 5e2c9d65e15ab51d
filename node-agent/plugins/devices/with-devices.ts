import type { ContainerConfig } from '../../cri/messages.ts';
import type { DeviceAllocation } from './choose-devices.ts';

/** A container's description with everything that it needs to use its devices. `cdiNames`: those of its claims. */
export function withDevices(
  config: ContainerConfig,
  allocations: readonly DeviceAllocation[],
  cdiNames: readonly string[] = [],
): ContainerConfig {
  if (allocations.length + cdiNames.length === 0) return config;
  const setups = allocations.map(({ setup }) => setup);
  const cdi = [...setups.flatMap(({ cdi_devices }) => cdi_devices), ...cdiNames.map((name) => ({ name }))];
  return {
    ...config,
    envs: [...config.envs, ...setups.flatMap(({ envs }) => Object.entries(envs).map(([key, value]) => ({ key, value })))],
    mounts: [
      ...config.mounts,
      ...setups.flatMap(({ mounts }) =>
        mounts.map(({ container_path, host_path, read_only }) => ({
          ...{ container_path, host_path, readonly: read_only, propagation: 'PROPAGATION_PRIVATE' as const },
        })),
      ),
    ],
    devices: [...config.devices, ...setups.flatMap(({ devices }) => devices)],
    annotations: Object.assign({}, ...setups.map(({ annotations }) => annotations), config.annotations),
    ...(cdi.length > 0 ? { CDI_devices: cdi } : {}),
  };
}
