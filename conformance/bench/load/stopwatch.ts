interface Stopwatch {
  elapsedSeconds(): number;
  cpuSeconds(): number;
}

/** Wall time, and the processor time of this process. */
export function startStopwatch(): Stopwatch {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  return {
    elapsedSeconds: () => (performance.now() - startedMs) / 1000,
    cpuSeconds() {
      const { user, system } = process.cpuUsage(cpu);
      return (user + system) / 1e6;
    },
  };
}
