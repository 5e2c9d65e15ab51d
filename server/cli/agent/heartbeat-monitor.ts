/** Judges by heartbeats whether another process still works. */
interface HeartbeatMonitor {
  heard(): void;
  /** Called at even intervals; true once the process has to be taken for hung. */
  tick(): boolean;
}

interface HeartbeatLimits {
  /** Ticks without a heartbeat after which the process is hung. */
  readonly silentTicks: number;
  /** The same before the first heartbeat, while the process starts. */
  readonly startTicks: number;
}

/**
 * Counts ticks rather than time: a process that was itself held up, or a machine that was suspended, has heartbeats to
 * read first, and gets to that between two ticks.
 */
export function createHeartbeatMonitor({ silentTicks, startTicks }: HeartbeatLimits): HeartbeatMonitor {
  let silence = 0;
  let hasBegun = false;
  return {
    heard() {
      hasBegun = true;
      silence = 0;
    },
    tick: () => ++silence >= (hasBegun ? silentTicks : startTicks),
  };
}
