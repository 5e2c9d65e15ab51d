import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { IPProgram } from './ip-program.ts';
import { type Peer, peersOf, planRoutes, type RouteMode, vxlanDevice } from './pod-routes.ts';
import type { RouteWatch } from './route-watch.ts';

interface PodRoutesDependencies {
  readonly informers: InformerFactory;
  /** Absent: this machine is no node itself, but is to reach Pods. */
  readonly nodeName?: string;
  readonly mode: RouteMode;
  readonly ip: IPProgram;
  /** Reports that another program may have removed routes; absent: that is noticed at the next regular check. */
  readonly watch?: Pick<RouteWatch, 'onChange'>;
  /** Makes this node's end of the tunnels again, after its device was deleted. */
  readonly restoreTunnel?: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The interval at which the kernel's routes are read, in case another program has changed them. */
const rereadMs = 60_000;
const retryMs = 2000;

/**
 * Keeps the routes to the Pods of all other nodes until the signal is aborted. They stay after that, so that traffic goes on without the
 * agent.
 */
export async function keepPodRoutes(dependencies: PodRoutesDependencies, signal: AbortSignal): Promise<void> {
  const { informers, nodeName, mode, ip, clock, logger } = dependencies;
  const informer = informers.informer(nodes);
  let wakeUp = new AbortController();
  const wake = () => wakeUp.abort();
  const changed = (node: DeepReadonly<Node>, old: DeepReadonly<Node>) => {
    if (JSON.stringify(peersOf([node], nodeName)) !== JSON.stringify(peersOf([old], nodeName))) wake();
  };
  try {
    await informer.synced(signal);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const stops = [informer.addHandler({ onAdd: wake, onUpdate: changed, onDelete: wake }), dependencies.watch?.onChange(wake)];
  const farAway = new Set<string>();
  while (!signal.aborted) {
    wakeUp = new AbortController();
    let pauseMs = rereadMs;
    try {
      const peers = await reachablePeers(peersOf(informer.lister.list(), nodeName), dependencies, farAway);
      if (mode === 'vxlan' && !(await ip.hasLink(vxlanDevice, 'vxlan'))) await dependencies.restoreTunnel?.();
      await ip.applyRoutes(planRoutes(await ip.listPodRoutes(), peers, mode));
    } catch (error) {
      pauseMs = retryMs;
      logger.warn('the routes to the Pods of other nodes could not be brought up to date', { error });
    }
    await sleep(clock, pauseMs, AbortSignal.any([signal, wakeUp.signal])).catch(() => undefined); // aborted or woken
  }
  for (const stop of stops) stop?.();
}

/** The peers that are neighbours, since a router in between would drop packets to Pods. Logs each other node once. */
async function reachablePeers(peers: readonly Peer[], { mode, ip, logger }: PodRoutesDependencies, farAway: Set<string>): Promise<Peer[]> {
  if (mode === 'vxlan') return [...peers];
  const reachable: Peer[] = [];
  for (const peer of peers) {
    if (peer.address !== undefined && (await ip.isOnLink(peer.address))) {
      farAway.delete(peer.podCIDR);
      reachable.push(peer);
    } else if (!farAway.has(peer.podCIDR)) {
      farAway.add(peer.podCIDR);
      logger.error('the Pods of a node cannot be reached: it is behind a router, which takes --pod-network vxlan', {
        ...{ name: peer.name, address: peer.address, podCIDR: peer.podCIDR },
      });
    }
  }
  return reachable;
}
