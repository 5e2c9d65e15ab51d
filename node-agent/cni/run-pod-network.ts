import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { InformerFactory } from '../../api/client/informer.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { findLink, type Link, makeTunnel } from './ip-program.ts';
import { keepPodRoutes } from './keep-pod-routes.ts';
import type { PodNetwork } from './pod-network.ts';
import { type RouteMode, tunnelAddress, tunnelHardwareAddress, vxlanOverheadBytes } from './pod-routes.ts';

export interface RunPodNetworkDependencies {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly mode: RouteMode;
  readonly network: PodNetwork;
  /** Told when the network was set up, or set up anew for another range. */
  readonly onInstalled: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const retryMs = 2000;

/**
 * Sets up the network of the node's Pods as soon as the control plane has given the node its range, again when it was given
 * another, and keeps the ways to the Pods of other nodes.
 */
export async function runPodNetwork(dependencies: RunPodNetworkDependencies, signal: AbortSignal): Promise<void> {
  const { informers, nodeName, nodeIP, mode, network, clock, logger } = dependencies;
  const informer = informers.informer(nodes);
  const ownRange = () => {
    const ranges = informer.lister.find({ namespace: '', name: nodeName })?.spec?.podCIDRs ?? [];
    return ranges.find((range) => !range.includes(':'));
  };
  let wakeUp = new AbortController();
  const wake = () => void (ownRange() !== installed && wakeUp.abort());
  const stop = informer.addHandler({ onAdd: wake, onUpdate: wake });
  let installed: string | undefined;
  let routes: Promise<void> | undefined;
  while (!signal.aborted) {
    wakeUp = new AbortController();
    const podCIDR = ownRange();
    let pauseMs = 3_600_000;
    try {
      if (podCIDR !== undefined && podCIDR !== installed) {
        const link = await findLink(nodeIP);
        if (link === undefined) throw new Error(`no interface of this machine has the node's address ${nodeIP}`);
        const mtu = mode === 'vxlan' ? link.mtu - vxlanOverheadBytes : link.mtu;
        if (mode === 'vxlan') await makeOwnTunnel(link, nodeIP, podCIDR, mtu);
        await network.install({ podCIDR, mtu });
        installed = podCIDR;
        logger.info('pod network', { podCIDR, mtu, mode });
        await dependencies.onInstalled(signal);
        routes ??= keepPodRoutes(dependencies, signal);
      }
    } catch (error) {
      if (signal.aborted) break;
      pauseMs = retryMs;
      logger.error('the pod network could not be set up', { error });
    }
    await sleep(clock, pauseMs, AbortSignal.any([signal, wakeUp.signal])).catch(() => undefined); // aborted or woken
  }
  stop();
  await routes;
}

function makeOwnTunnel(link: Link, nodeIP: string, podCIDR: string, mtu: number): Promise<void> {
  return makeTunnel({ link, nodeIP, address: tunnelAddress(podCIDR), hardwareAddress: tunnelHardwareAddress(podCIDR), mtu });
}
