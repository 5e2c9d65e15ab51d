import * as fs from 'node:fs/promises';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import { type CgroupLimits, cpuPeriodMicroseconds, cpuWeight } from './cgroup-values.ts';
import { runProgram } from '../processes/run-program.ts';

/** The slices of systemd that Pods live in, by the paths of their cgroups. */
export interface Slices {
  /** Starts a slice that is not there, and its parents with it. True if it was made with these limits. */
  start(name: string, limits: CgroupLimits, isThere: () => Promise<boolean>): Promise<boolean>;
  /** Sets limits of a slice that is there. Huge pages are not known to systemd. */
  set(name: string, limits: CgroupLimits): Promise<void>;
  /** Stops an empty slice. False if processes are in it, which would be ended. */
  stop(name: string, isPopulated: () => Promise<boolean>): Promise<boolean>;
}

const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
const startTimeoutMs = 30_000;
const lookMs = 10;
const unlimited = '18446744073709551615';

/** Whether systemd is the machine's first process: sd_booted(3). */
export async function isBootedBySystemd(): Promise<boolean> {
  return (await fs.lstat('/run/systemd/system').catch(() => undefined))?.isDirectory() ?? false; // not there
}

/** Whether the system bus has a socket, and there is the program that asks over it. */
export async function hasSystemBus(): Promise<boolean> {
  const found = await Promise.all([fs.stat('/run/dbus/system_bus_socket'), fs.stat('/usr/bin/busctl')]).catch(() => undefined); // not there
  return found?.[0].isSocket() ?? false;
}

/** Asks systemd over D-Bus through its own program (busctl(1), org.freedesktop.systemd1(5)). */
export function createSlices(clock: Clock): Slices {
  const call = (method: string, signature: string, ...values: readonly string[]) =>
    runProgram('busctl', ['--system', 'call', ...manager, method, signature, ...values]);
  const setProperties = async (name: string, properties: readonly string[][]) => {
    if (properties.length === 0) return;
    await call('SetUnitProperties', 'sba(sv)', unitOf(name), 'true', String(properties.length), ...properties.flat());
  };
  return {
    async start(name, limits, isThere) {
      if (await isThere()) return false;
      let isMade = true;
      const properties = [...sliceProperties(name), ...limitProperties(limits)];
      try {
        await call('StartTransientUnit', 'ssa(sv)a(sa(sv))', unitOf(name), 'replace', String(properties.length), ...properties.flat(), '0');
      } catch (error) {
        if (!isKnownUnit(error)) throw error;
        // Whether it is loaded, from a file or by a child that was there before it.
        isMade = false;
        await call('StartUnit', 'ss', unitOf(name), 'replace');
      }
      const deadline = clock.monotonicMs() + startTimeoutMs;
      while (!(await isThere())) {
        if (clock.monotonicMs() > deadline) throw new Error(`systemd has not started ${unitOf(name)}`);
        await sleep(clock, lookMs);
      }
      return isMade;
    },
    set: (name, limits) => setProperties(name, limitProperties(limits)),
    async stop(name, isPopulated) {
      if (await isPopulated()) return false;
      try {
        await call('StopUnit', 'ss', unitOf(name), 'replace');
      } catch (error) {
        if (!isUnknownUnit(error)) throw error;
      }
      // Limits of a slice that was not made here, which systemd keeps until the machine is started again.
      await fs.rm(`/run/systemd/system.control/${unitOf(name)}.d`, { recursive: true, force: true });
      return true;
    },
  };
}

function unitOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function isKnownUnit(error: unknown): boolean {
  return error instanceof Error && /already (exists|loaded)|was already loaded|UnitExists/.test(error.message);
}

function isUnknownUnit(error: unknown): boolean {
  return error instanceof Error && /not loaded|NoSuchUnit/.test(error.message);
}

/** Properties of every slice of Pods; each property as busctl takes it: name, type, value. */
export function sliceProperties(name: string): string[][] {
  const parent = name.split('/').at(-2) ?? '';
  return [
    ['Description', 's', `Pods of Kubernetes: ${unitOf(name)}`],
    ...(parent === '' ? [] : [['Wants', 'as', '1', parent]]),
    ...['CPUAccounting', 'MemoryAccounting', 'IOAccounting', 'TasksAccounting'].map((property) => [property, 'b', 'true']),
    ['DefaultDependencies', 'b', 'false'],
  ];
}

/** Limits as properties of a unit (systemd.resource-control(5)). */
export function limitProperties({ cpuShares, cpuQuota, memoryBytes, pids }: CgroupLimits): string[][] {
  const orUnlimited = (value: number) => (value > 0 ? String(value) : unlimited);
  const perSecond = (quota: number) => (quota > 0 ? String(Math.round((quota * 1_000_000) / cpuPeriodMicroseconds)) : unlimited);
  return [
    ...(cpuShares === undefined ? [] : [['CPUWeight', 't', String(cpuWeight(cpuShares))]]),
    ...(cpuQuota === undefined
      ? []
      : [
          ['CPUQuotaPeriodUSec', 't', String(cpuPeriodMicroseconds)],
          ['CPUQuotaPerSecUSec', 't', perSecond(cpuQuota)],
        ]),
    ...(memoryBytes === undefined ? [] : [['MemoryMax', 't', orUnlimited(memoryBytes)]]),
    ...(pids === undefined ? [] : [['TasksMax', 't', orUnlimited(pids)]]),
  ];
}
