import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { type NodeConfiguration, nodeConfigurationKey, parseNodeConfiguration } from '../../../api/semantics/nodes/node-configuration.ts';
import type { ConfigMap } from '../../../api/types/core-v1.ts';

interface AskingDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const retry = { initialMs: 500, maxMs: 10_000, jitter: 0.2 };

/**
 * The common settings of all nodes of the cluster, read from its API. A machine may start before its control plane, so the request is
 * repeated with growing pauses, and logged. Rejects for an answer that cannot be used.
 */
export async function askNodeConfiguration(dependencies: AskingDependencies, signal: AbortSignal): Promise<NodeConfiguration> {
  return parseNodeConfiguration(await ask(dependencies, signal));
}

async function ask({ client, clock, random, logger }: AskingDependencies, signal: AbortSignal): Promise<ConfigMap['data']> {
  const backoff = createBackoff(retry, random);
  for (;;) {
    try {
      return (await client(configMaps).get(nodeConfigurationKey)).data;
    } catch (error) {
      if (signal.aborted) throw error;
      const delayMs = Math.round(backoff.nextMs());
      const message = error instanceof Error ? error.message : String(error);
      logger.warn('the API server does not say yet how nodes of this cluster are configured', { error: message, retryInMs: delayMs });
      await sleep(clock, delayMs, signal);
    }
  }
}
