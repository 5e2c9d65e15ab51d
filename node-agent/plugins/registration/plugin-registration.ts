import type { Clock } from '../../../api/base/clock.ts';
import { connectService, loadServices } from './socket-service.ts';

export interface PluginInfo {
  /** `CSIPlugin`, `DevicePlugin`, `DRAPlugin`. */
  readonly type: string;
  readonly name: string;
  /** The socket of the plugin itself; '' if it is this one. */
  readonly endpoint: string;
  readonly supported_versions: readonly string[];
}

const timeoutSeconds = 10;

/**
 * Asks the plugin behind a registration socket for its facts, lets `accept` decide, and reports the decision to the plugin: an error of
 * `accept` is the reason of a refusal.
 */
export async function meetPlugin(socket: string, clock: Clock, accept: (info: PluginInfo) => Promise<void>): Promise<void> {
  const { Registration } = loadServices('plugin-registration-v1.proto', 'pluginregistration');
  const { call, close } = connectService(Registration, socket, { clock, timeoutSeconds });
  try {
    const info = await call<PluginInfo>('GetInfo', {});
    try {
      await accept(info);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      await call('NotifyRegistrationStatus', { plugin_registered: false, error: problem });
      throw error;
    }
    await call('NotifyRegistrationStatus', { plugin_registered: true, error: '' });
  } finally {
    close();
  }
}
