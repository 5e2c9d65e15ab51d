import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parseYAML } from '../../../api/serialization/yaml.ts';
import { parseAuditPolicy } from '../../apiserver/audit/audit-policy.ts';
import { chooseAdmissionPlugins } from '../../apiserver/admission/choose-plugins.ts';
import { admissionPlugins, pluginsOffByDefault } from '../../apiserver/admission/plugins/plugins.ts';
import { readAdmissionConfiguration } from '../../control-plane/read-admission-configuration.ts';
import { parseEncryptionConfiguration } from '../../storage/encryption/configuration.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { findRuns } from '../data-dir/runs.ts';
import { addServerCommand } from '../server-command.ts';
import { captureFlags } from '../service/capture-flags.ts';
import type { ServiceKind } from '../service/plan-service.ts';
import { findUnitText } from '../service/service-manager.ts';
import { findCommand, findDataDirectory } from '../service/unit-file.ts';
import { addUpCommand } from '../up-command.ts';
import type { SettingsFacts } from './check-facts.ts';

const adders: Readonly<Record<'up' | 'server', (program: Command) => void>> = { up: addUpCommand, server: addServerCommand };
const unknown: SettingsFacts = {
  ...{ source: 'unknown', values: {}, admissionPlugins: [], controllers: [], podSecurityDefault: 'privileged' },
};

/** The flags that the control plane runs with, or that its service would start it with. */
export function gatherSettings(dataDir: DataDir, onProblem: (problem: string) => void): SettingsFacts {
  const found = findCommandLine(dataDir);
  if (!found) return unknown;
  try {
    const { values } = captureFlags(found.command, adders[found.command], found.args);
    return { source: found.source, values, ...readConfigurations(values, onProblem) };
  } catch (error) {
    onProblem(`flags of the control plane: ${messageOf(error)}`);
    return unknown;
  }
}

interface CommandLine {
  readonly source: 'process' | 'unit';
  readonly command: 'up' | 'server';
  readonly args: readonly string[];
}

function findCommandLine(dataDir: DataDir): CommandLine | undefined {
  for (const { command, pid } of findRuns(dataDir)) {
    if (command === 'agent') continue;
    const args = argumentsAfter(command, readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0'));
    if (args) return { source: 'process', command, args };
  }
  for (const kind of ['up', 'server'] as const satisfies readonly ServiceKind[]) {
    const unit = findUnitText(kind);
    if (unit === undefined || findDataDirectory(unit) !== dataDir.path) continue;
    const args = argumentsAfter(kind, findCommand(unit) ?? []);
    if (args) return { source: 'unit', command: kind, args };
  }
  return undefined;
}

/** The words after the name of a command; a flag of node before it may have any value. */
function argumentsAfter(command: string, words: readonly string[]): string[] | undefined {
  const program = words.findIndex((word) => /kubets(\.mjs|\.ts)?$/.test(word));
  const at = words.indexOf(command, program + 1);
  return program < 0 || at < 0 ? undefined : words.slice(at + 1);
}

function readConfigurations(values: Readonly<Record<string, unknown>>, onProblem: (problem: string) => void) {
  const read = <T>(name: string, parse: (file: string) => T): T | undefined => {
    const file = values[name];
    if (typeof file !== 'string') return undefined;
    try {
      return parse(file);
    } catch (error) {
      onProblem(`${file}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const names = (name: string) => (Array.isArray(values[name]) ? (values[name] as readonly string[]) : []);
  const catalog = { all: admissionPlugins, offByDefault: pluginsOffByDefault };
  const chosen = chooseAdmissionPlugins(catalog, { enable: names('enableAdmissionPlugins'), disable: names('disableAdmissionPlugins') });
  const admission = read('admissionControlConfigFile', readAdmissionConfiguration);
  const encryption = read('encryptionProviderConfig', (file) =>
    parseEncryptionConfiguration(parseYAML(readFileSync(file)).value).map(({ resources, providers }) => ({
      resources,
      providers: providers.map(({ kind }) => kind),
    })),
  );
  const audit = read('auditPolicyFile', (file) => parseAuditPolicy(parseYAML(readFileSync(file)).value));
  return {
    admissionPlugins: chosen.map(({ name }) => name),
    controllers: names('controllers'),
    podSecurityDefault: admission?.podSecurity?.defaults.enforce.level ?? 'privileged',
    ...(encryption ? { encryption } : {}),
    ...(audit
      ? {
          auditRules: audit.rules.map(({ level, resources = [] }) => ({
            level,
            resources: resources.flatMap((one) => one.resources ?? []),
          })),
        }
      : {}),
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
