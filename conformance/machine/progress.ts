/** Reports the present step. */
export type Progress = (text: string) => void;

/** Progress lines with the time since the start. */
export function createProgress(write: (line: string) => void, nowMs: () => number): Progress {
  const startedMs = nowMs();
  return (text) => write(`${formatElapsed(nowMs() - startedMs)} ${text}`);
}

/** `  4:07`, minutes and seconds. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`.padStart(6);
}
