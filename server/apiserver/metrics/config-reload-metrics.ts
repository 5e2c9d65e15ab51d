import { createHash } from 'node:crypto';
import type { Clock } from '../../../api/base/clock.ts';
import type { MetricFamilies } from '../metric-families.ts';

/** Metrics of a configuration file that is reloaded when it changes. */
interface ConfigReloadMetrics {
  /** The configuration with this content is in use. */
  succeeded(content: Uint8Array): void;
  failed(): void;
}

interface ConfigReloadMetricsOptions {
  /** e.g. `authorization` for apiserver_authorization_config_controller_automatic_reloads_total. */
  readonly what: 'authentication' | 'authorization';
  /** The identity of the API server, shown as its hash. */
  readonly serverID: string;
  readonly clock: Clock;
}

/** The metrics of upstream's controllers of configuration files. */
export function createConfigReloadMetrics(
  families: MetricFamilies,
  { what, serverID, clock }: ConfigReloadMetricsOptions,
): ConfigReloadMetrics {
  const prefix = `apiserver_${what}_config_controller`;
  const reloads = families.counter({
    name: `${prefix}_automatic_reloads_total`,
    help: `Total number of automatic reloads of ${what} configuration split by status and apiserver identity.`,
    stability: 'BETA',
    labels: ['status', 'apiserver_id_hash'],
  });
  const lastTimes = families.gauge({
    name: `${prefix}_automatic_reload_last_timestamp_seconds`,
    help: `Timestamp of the last automatic reload of ${what} configuration split by status and apiserver identity.`,
    stability: 'BETA',
    labels: ['status', 'apiserver_id_hash'],
  });
  const info = families.gauge({
    name: `${prefix}_last_config_info`,
    help: `Information about the last applied ${what} configuration with hash as label, split by apiserver identity.`,
    stability: 'ALPHA',
    labels: ['apiserver_id_hash', 'hash'],
  });
  const server = hashOf(serverID);
  const count = (status: 'success' | 'failure') => {
    reloads.with(status, server).add();
    lastTimes.with(status, server).value = clock.nowMs() / 1000;
  };
  return {
    succeeded(content) {
      count('success');
      info.clear();
      info.with(server, hashOf(content)).value = 1;
    },
    failed: () => count('failure'),
  };
}

function hashOf(content: string | Uint8Array): string {
  return content.length === 0 ? '' : `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
