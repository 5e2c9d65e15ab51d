import { type Check, error, ok, warning } from '../check.ts';
import { neededPlugins } from '../../network/cni/plugin-directory.ts';
import { installCommand } from '../../linux/survey/system-packages.mjs';

/** The name of the configuration that kubets writes (cni/pod-network.ts). */
const ownConfiguration = '10-kubets.conflist';

/** CNI plugins, and the socket of a runtime that others look after. */
export const containerRuntime: Check = {
  name: 'CRI',
  run(machine, plan) {
    const { cniPlugins, hasRuntimeSocket, cniConfigurations } = machine;
    const { runtimeEndpoint, podNetwork, cniPluginDirectories } = plan;
    if (runtimeEndpoint !== undefined && !hasRuntimeSocket)
      return [
        error(
          'CRI',
          `container runtime is not running: there is no socket ${runtimeEndpoint}`,
          'start the runtime, or name its socket with --container-runtime-endpoint',
        ),
      ];
    const [ahead] = cniConfigurations.filter((name) => name < ownConfiguration);
    if (runtimeEndpoint !== undefined && podNetwork !== 'external' && ahead !== undefined)
      return [
        warning(
          'CNIConfiguration',
          `/etc/cni/net.d/${ahead} comes before ${ownConfiguration}, and the runtime takes the first: Pods get another network`,
          `mv /etc/cni/net.d/${ahead} /root/, or --pod-network external if it is that network that Pods are to have`,
        ),
      ];
    const complete = cniPluginDirectories.find((folder) => neededPlugins.every((plugin) => cniPlugins[folder]?.includes(plugin)));
    if (podNetwork === 'external') {
      const [first, ...others] = cniConfigurations;
      if (first === undefined)
        return [
          warning(
            'CNIConfiguration',
            '/etc/cni/net.d has no configuration: the node is not Ready before the network plugin has brought one',
            'apply the manifest of the network plugin once the cluster is up',
          ),
        ];
      if (others.length > 0)
        return [
          warning(
            'CNIConfiguration',
            `/etc/cni/net.d has ${cniConfigurations.length} configurations (${cniConfigurations.join(', ')}); the first by name is taken`,
            'remove those of other network plugins',
          ),
        ];
    }
    if (complete === undefined && podNetwork !== 'external')
      return [
        error(
          'CNIPlugins',
          `none of ${cniPluginDirectories.join(', ')} has the plugins ${neededPlugins.join(', ')}`,
          installCommand(machine.release, ['containernetworking-plugins']),
        ),
      ];
    return [ok('CNIPlugins', complete ?? 'brought by the network plugin')];
  },
};
