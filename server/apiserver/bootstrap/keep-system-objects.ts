import type { Clock } from '../../../api/base/clock.ts';
import { sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import { createEventRecorder } from '../../../api/client/events/event-recorder.ts';
import { createDefaultServiceCIDR, serviceCIDRManager } from './default-service-cidr.ts';
import { ensureFlowControl } from './ensure-flow-control.ts';
import { ensureKubernetesService, ensureSystemNamespaces, type SystemObjectsOptions } from './ensure-system-objects.ts';
import { ensureLegacyTokenTracking } from './legacy-token-tracking.ts';

const serviceIntervalMs = 10_000;
const namespaceIntervalMs = 60_000;
const trackingIntervalMs = 60_000;
const flowControlIntervalMs = 60_000;

interface KeepDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Restores deleted objects that a cluster needs: the Service kubernetes with its Endpoints and its ServiceCIDR, checked every 10 seconds;
 * and the system namespaces, the start of token tracking, and the defaults of priority and fairness, every minute. Ends with the signal.
 */
export async function keepSystemObjects(
  options: Omit<SystemObjectsOptions, 'client' | 'clock'>,
  { client, clock, logger }: KeepDependencies,
  signal: AbortSignal,
): Promise<void> {
  const events = createEventRecorder({ client, clock, logger, component: serviceCIDRManager, signal });
  const serviceCIDR = createDefaultServiceCIDR(options.serviceCIDRs, { client, clock, events });
  const service = async () => {
    await serviceCIDR();
    await ensureKubernetesService({ ...options, client, clock });
  };
  const namespaces = () => ensureSystemNamespaces(client);
  const flowControl = () => ensureFlowControl(client);
  const repeat = async (intervalMs: number, ensure: () => Promise<void>) => {
    try {
      for (;;) {
        await sleep(clock, intervalMs, signal);
        await ensure().catch((error: unknown) => logger.warn('what every cluster has could not be ensured', { error }));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  await Promise.all([
    repeat(serviceIntervalMs, service),
    repeat(namespaceIntervalMs, namespaces),
    repeat(trackingIntervalMs, () => ensureLegacyTokenTracking(client, clock.nowMs())),
    repeat(flowControlIntervalMs, flowControl),
  ]);
}
