import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../data-dir/data-dir.ts';
import { serviceKinds, type ServiceKind, unitNames } from './plan-service.ts';

const unitFolder = '/etc/systemd/system';
export const unitFile = (kind: ServiceKind): string => path.join(unitFolder, `${unitNames[kind]}.service`);

/** Whether the machine was booted with systemd (sd_booted(3)). */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

export function requireSystemd(): void {
  if (hasSystemd()) return;
  throw new Error(
    "this machine does not run systemd (there is no /run/systemd/system), so nothing could start the service. Let the init system that it has run 'kubets up', or in a container make that its command; 'kubets install --dry-run' prints the unit",
  );
}

/** The services of kubets that are installed. */
export function installedServices(): ServiceKind[] {
  return serviceKinds.filter((kind) => existsSync(unitFile(kind)));
}

/** Undefined where there is no unit, or where only root may read it. */
export function findUnitText(kind: ServiceKind): string | undefined {
  try {
    return readFileSync(unitFile(kind), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}

export function writeUnit(kind: ServiceKind, text: string): void {
  // Only root may read the command line.
  writeFileAtomically(unitFile(kind), text, 0o600);
}

export function removeUnit(kind: ServiceKind): void {
  rmSync(unitFile(kind), { force: true });
}

/** Runs systemctl, or throws an Error with its output. */
export async function systemctl(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('systemctl', args);
  if (code !== 0) throw new Error(`systemctl ${args.join(' ')}: ${(stderr || stdout).trim() || `exit status ${code}`}`);
  return stdout;
}

/** The state of a service in systemd; undefined where there is no such unit, or no systemd. */
interface ServiceState {
  /** `active`, `activating`, `inactive`, `failed`, ... */
  readonly active: string;
  readonly mainPID: number;
  readonly isEnabled: boolean;
  readonly restarts: number;
  /** The service's own status text. */
  readonly status: string;
}

export async function findServiceState(unit: string): Promise<ServiceState | undefined> {
  if (!hasSystemd()) return undefined;
  const properties = 'LoadState,ActiveState,MainPID,UnitFileState,NRestarts,StatusText';
  const { code, stdout } = await run('systemctl', ['show', `--property=${properties}`, unit]);
  return code === 0 ? parseServiceState(stdout) : undefined;
}

export function parseServiceState(text: string): ServiceState | undefined {
  const values = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  if (values.get('LoadState') !== 'loaded') return undefined;
  return {
    active: values.get('ActiveState') ?? '',
    mainPID: Number(values.get('MainPID') ?? 0),
    isEnabled: (values.get('UnitFileState') ?? '').startsWith('enabled'),
    restarts: Number(values.get('NRestarts') ?? 0),
    status: values.get('StatusText') ?? '',
  };
}

/** The installed service whose main process this is. */
export async function findServiceOf(pid: number): Promise<ServiceKind | undefined> {
  for (const kind of installedServices()) if ((await findServiceState(`${unitNames[kind]}.service`))?.mainPID === pid) return kind;
  return undefined;
}

interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(program: string, args: readonly string[]): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SYSTEMD_PAGER: '', LC_ALL: 'C' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
