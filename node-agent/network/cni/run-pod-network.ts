import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { familyOf } from '../../../api/semantics/services/ip-family.ts';
import type { IPProgram } from './ip-program.ts';
import { keepPodRoutes } from './keep-pod-routes.ts';
import type { TableWatch } from '../../linux/nft/table-watch.ts';
import type { PodNetwork } from './pod-network.ts';
import { outsideOf, type RouteMode, tunnelAddress, tunnelHardwareAddress, vxlanOverheadBytes } from './pod-routes.ts';
import type { RouteWatch } from './route-watch.ts';

interface RunPodNetworkDependencies {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
  readonly mode: RouteMode;
  readonly network: PodNetwork;
  readonly ip: IPProgram;
  /** Reports that another program may have removed routes; absent: that is noticed at the next regular check. */
  readonly watch?: Pick<RouteWatch, 'onChange'>;
  /** Reports that another program has deleted tables of rules; absent: it is not noticed. */
  readonly tables?: Pick<TableWatch, 'onLost'>;
  /** Called when the network was set up, or set up again for another range. */
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
  const { informers, nodeName, mode, network, clock, logger } = dependencies;
  const informer = informers.informer(nodes);
  const ownRanges = () => (informer.lister.find({ namespace: '', name: nodeName })?.spec?.podCIDRs ?? []).join();
  let wakeUp = new AbortController();
  const wake = () => void (ownRanges() !== installed && wakeUp.abort());
  const stop = informer.addHandler({ onAdd: wake, onUpdate: wake });
  let installed = '';
  let routes: Promise<void> | undefined;
  while (!signal.aborted) {
    wakeUp = new AbortController();
    const ranges = ownRanges();
    let pauseMs = 3_600_000;
    try {
      if (ranges !== installed && ranges !== '') {
        const podCIDRs = ranges.split(',');
        const mtu = await prepareWay(dependencies, podCIDRs);
        await network.install({ podCIDRs, mtu });
        installed = ranges;
        logger.info('pod network', { podCIDRs, mtu, mode });
        await dependencies.onInstalled(signal);
        if (routes === undefined) {
          renewRules(dependencies, () => installed);
          routes = keepPodRoutes(
            { ...dependencies, restoreTunnel: async () => void (await prepareWay(dependencies, installed.split(','))) },
            signal,
          );
        }
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

/** Writes the masquerading rules again whenever they are lost. `installed`: the ranges of the node, with commas between. */
function renewRules({ tables, network, logger }: RunPodNetworkDependencies, installed: () => string): void {
  const renew = () =>
    network
      .writeRules(installed().split(','))
      .catch((error: unknown) => logger.error('the rules of the pod network cannot be written', { error }));
  for (const table of network.tablesOf(installed().split(','))) tables?.onLost(table, () => void renew());
}

/** Prepares the tunnel, if there is one. Returns the size in bytes of the largest packet that reaches other nodes. */
async function prepareWay({ ip, nodeIPs, mode }: RunPodNetworkDependencies, podCIDRs: readonly string[]): Promise<number> {
  const outside = outsideOf(nodeIPs) ?? '';
  const link = await ip.findLink(outside);
  if (link === undefined) throw new Error(`no interface of this machine has the node's address ${outside}`);
  if (mode === 'host-gw') return link.mtu;
  const mtu = link.mtu - vxlanOverheadBytes[familyOf(outside) ?? 'IPv4'];
  await ip.makeTunnel({ link, outside, inside: podCIDRs.map(tunnelAddress), hardwareAddress: tunnelHardwareAddress(podCIDRs), mtu });
  return mtu;
}
