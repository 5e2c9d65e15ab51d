import { readFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../api/base/system-clock.ts';
import { parseYAML } from '../../api/serialization/yaml.ts';
import { parseAdmissionConfiguration, type PluginConfigurations } from '../apiserver/admission/configure-plugins.ts';
import { openHookUsers } from './webhook/hook-kubeconfig.ts';

/**
 * Reads the file of --admission-control-config-file; paths in it are relative to its folder. Throws an Error with the mistake and the
 * file's name.
 */
export function readAdmissionConfiguration(file: string): PluginConfigurations {
  const read = (name: string) => parseYAML(readFileSync(name)).value;
  try {
    return parseAdmissionConfiguration(read(file), {
      readDocument: (name) => read(path.resolve(path.dirname(file), name)),
      openHookUsers: (name) => openHookUsers(name, { clock: systemClock }),
    });
  } catch (error) {
    throw new Error(`--admission-control-config-file ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
