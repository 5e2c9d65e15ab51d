import { type FieldError, invalid } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';

/** The Pod Security Standards, from the most to the least permissive. */
const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** A standard as it was in a minor version of Kubernetes 1; `latest` is that of this version. */
export interface LevelVersion {
  readonly level: Level;
  readonly version: 'latest' | number;
}

export interface PodSecurityPolicy {
  /** Pods that violate it are refused. */
  readonly enforce: LevelVersion;
  /** Violations are noted in the audit log. */
  readonly audit: LevelVersion;
  /** Violations are told to the user. */
  readonly warn: LevelVersion;
}

export type Mode = keyof PodSecurityPolicy;

const prefix = 'pod-security.kubernetes.io/';
const privileged: LevelVersion = { level: 'privileged', version: 'latest' };

/** The policy of namespaces without labels, unless the configuration says otherwise. */
export const privilegedPolicy: PodSecurityPolicy = { enforce: privileged, audit: privileged, warn: privileged };

export const levelLabel = (mode: Mode): string => prefix + mode;
export const versionLabel = (mode: Mode): string => `${prefix}${mode}-version`;

/** `restricted:v1.30`, as messages and annotations name it. */
export function formatLevelVersion({ level, version }: LevelVersion): string {
  return `${level}:${version === 'latest' ? version : `v1.${version}`}`;
}

export function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

/** `latest` or `v1.N`. */
export function parseLevelVersion(text: string): LevelVersion['version'] | undefined {
  if (text === 'latest') return text;
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1];
  return minor !== undefined && Number.isSafeInteger(Number(minor)) ? Number(minor) : undefined;
}

export const levelProblem = `must be one of ${levels.join(', ')}`;
export const versionProblem = 'must be "latest" or "v1.x"';

/** Compares two levels: below zero where `a` is more permissive than `b`. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

export function isSameLevelVersion(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}

export function isFullyPrivileged({ enforce, audit, warn }: PodSecurityPolicy): boolean {
  return [enforce, audit, warn].every(({ level }) => level === 'privileged');
}

interface PolicyOfNamespace {
  readonly policy: PodSecurityPolicy;
  readonly errors: readonly FieldError[];
}

/**
 * The policy that a namespace's labels ask for, where they say nothing by the defaults. A level that is none is
 * `restricted` for `enforce` and `privileged` for the others. `warn` follows a stricter `enforce` where it has no label.
 */
export function policyOfLabels(labels: Readonly<Record<string, string>> = {}, defaults: PodSecurityPolicy): PolicyOfNamespace {
  const errors: FieldError[] = [];
  const read = (mode: Mode, ifInvalid: Level): LevelVersion => {
    const [level, version] = [labels[levelLabel(mode)], labels[versionLabel(mode)]];
    const refuse = (label: string, value: string, problem: string) =>
      void errors.push(invalid(FieldPath.root.child('metadata', 'labels').key(label), value, problem));
    const parsedLevel = level === undefined ? defaults[mode].level : parseLevel(level);
    if (level !== undefined && parsedLevel === undefined) refuse(levelLabel(mode), level, levelProblem);
    const parsedVersion = version === undefined ? defaults[mode].version : parseLevelVersion(version);
    if (version !== undefined && parsedVersion === undefined) refuse(versionLabel(mode), version, versionProblem);
    return { level: parsedLevel ?? ifInvalid, version: parsedVersion ?? 'latest' };
  };
  const enforce = read('enforce', 'restricted');
  const audit = read('audit', 'privileged');
  const own = read('warn', 'privileged');
  const asks = parseLevel(labels[levelLabel('enforce')] ?? '') !== undefined;
  const follows = asks && labels[levelLabel('warn')] === undefined && compareLevels(enforce.level, own.level) > 0;
  const version = labels[versionLabel('warn')] === undefined ? enforce.version : own.version;
  return { policy: { enforce, audit, warn: follows ? { level: enforce.level, version } : own }, errors };
}
