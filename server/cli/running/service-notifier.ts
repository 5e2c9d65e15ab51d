import { spawn } from 'node:child_process';

/** Reports the state of this process to systemd if it is the main process of a service of type `notify`; else does nothing. */
export interface ServiceNotifier {
  ready(status: string): void;
  status(text: string): void;
  /** From now on until its end; the service manager's own time limit does not cut the stop short. */
  stopping(status: string): void;
}

/** The variables that systemd sets for a notifying service (sd_notify(3), sd_watchdog_enabled(3)). */
interface NotifyVariables {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** Sends assignments such as `READY=1`; resolves when they were taken, or could not be. */
type Notify = (assignments: readonly string[]) => Promise<void>;

/** The interval of watchdog messages, in milliseconds; undefined: the service has no watchdog. */
export function watchdogIntervalMs({ WATCHDOG_USEC, WATCHDOG_PID }: NotifyVariables, pid: number): number | undefined {
  const microseconds = Number(WATCHDOG_USEC ?? 0);
  if (!(microseconds > 0) || (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== pid)) return undefined;
  // Three chances: a machine that is busy takes its time to start a program.
  return microseconds / 1000 / 3;
}

const extendEveryMs = 10_000;

/**
 * The watchdog is fed by a timer of the event loop that does all the work, so a process that hangs stops feeding it. Node has no datagram
 * sockets of the Unix domain, so systemd's own program sends the messages.
 */
export function createServiceNotifier(variables: NotifyVariables, pid: number, notify: Notify = runSystemdNotify): ServiceNotifier {
  if (variables.NOTIFY_SOCKET === undefined || variables.NOTIFY_SOCKET === '') return { ready() {}, status() {}, stopping() {} };
  const every = (ms: number, assignment: string) => {
    let isUnderWay = false;
    const timer = setInterval(() => {
      if (isUnderWay) return;
      isUnderWay = true;
      void notify([assignment]).finally(() => (isUnderWay = false));
    }, ms);
    timer.unref();
  };
  const watchdogMs = watchdogIntervalMs(variables, pid);
  if (watchdogMs !== undefined) every(watchdogMs, 'WATCHDOG=1');
  return {
    ready: (status) => void notify(['READY=1', `STATUS=${oneLine(status)}`]),
    status: (text) => void notify([`STATUS=${oneLine(text)}`]),
    stopping(status) {
      const extend = `EXTEND_TIMEOUT_USEC=${3 * extendEveryMs * 1000}`;
      void notify(['STOPPING=1', extend, `STATUS=${oneLine(status)}`]);
      every(extendEveryMs, extend);
    },
  };
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}

function runSystemdNotify(assignments: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [...assignments], { stdio: 'ignore', timeout: 30_000 });
    child.once('error', () => resolve()); // not installed: then nothing waits for it either
    child.once('exit', () => resolve());
  });
}
