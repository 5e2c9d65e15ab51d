import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import {
  type ClusterAuthorities,
  clusterAuthoritiesKey,
  parseClusterAuthorities,
} from '../../../api/semantics/certificates/cluster-authorities.ts';
import { refuseAuthorities } from './authorities.ts';

interface FollowAuthoritiesDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** PEM of the authorities that the node trusts now. */
  trusted(): string;
  /** Takes over others. Rejects where that cannot be done yet. */
  adopt(trusted: string): Promise<void>;
}

const retryMs = 5000;

/**
 * Follows the authorities that the cluster publishes until the signal is aborted. A new authority is trusted only if one that the node
 * trusts already vouches for it.
 */
export async function followAuthorities(dependencies: FollowAuthoritiesDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  const informers = createInformerFactory(dependencies);
  const { namespace, name } = clusterAuthoritiesKey;
  let wanted: ClusterAuthorities | undefined;
  let wake = new AbortController();
  const note = (data: Readonly<Record<string, string>> | undefined) => {
    wanted = parseClusterAuthorities(data);
    wake.abort();
  };
  informers.informer(configMaps, { namespace, fieldSelector: `metadata.name=${name}` }).addHandler({
    onAdd: ({ data }) => note(data),
    onUpdate: ({ data }) => note(data),
  });
  const running = informers.run(signal);
  while (!signal.aborted) {
    const pauseMs = (await takeOver(wanted, dependencies)) ? dayMs : retryMs;
    await sleep(clock, pauseMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined); // aborted or woken
    wake = new AbortController();
  }
  await running;

  async function takeOver(offered: ClusterAuthorities | undefined, { trusted, adopt }: FollowAuthoritiesDependencies): Promise<boolean> {
    const now = trusted();
    // A node that verifies the API server by the machine's authorities has none of the cluster.
    if (offered === undefined || now === '' || offered.trusted === now) return true;
    const problem = refuseAuthorities(now, offered);
    if (problem !== undefined) {
      logger.error('the authorities that the cluster states are refused', { problem });
      return true;
    }
    try {
      await adopt(offered.trusted);
      logger.info('the cluster has other authorities: they are trusted from now on');
      return true;
    } catch (error) {
      logger.warn('the authorities that the cluster states cannot be used yet', { error });
      return false;
    }
  }
}

const dayMs = 86_400_000;
