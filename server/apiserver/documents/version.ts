import type { APIResponse } from '../../../api/client/transport.ts';

/** version.Info of /version. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  /** Upstream's Go version; ours is that of Node. */
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** Answers /version; indented, as upstream has always done. */
export function versionResponse(version: VersionInfo): APIResponse {
  const document = {
    major: version.major,
    minor: version.minor,
    emulationMajor: version.major,
    emulationMinor: version.minor,
    minCompatibilityMajor: version.major,
    minCompatibilityMinor: String(Number(version.minor) - 1),
    gitVersion: version.gitVersion,
    gitCommit: version.gitCommit,
    gitTreeState: version.gitTreeState,
    buildDate: version.buildDate,
    goVersion: version.goVersion,
    compiler: version.compiler,
    platform: version.platform,
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(document, undefined, 2)), object: () => document },
  };
}
