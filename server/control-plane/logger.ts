import { fstatSync } from 'node:fs';
import type { Logger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { isJournalStream } from '../../node-agent/linux/processes/journal-line.ts';
import { createProcessLog } from '../../node-agent/linux/processes/process-logger.ts';

const fd = 2;
/** One logger for each level: each has a buffer, which is written at the end of the process. */
const loggers = new Map<string, Logger>();

/** Whether standard error is systemd's journal. */
export function writesToJournal(): boolean {
  try {
    return isJournalStream(process.env['JOURNAL_STREAM'], fstatSync(fd));
  } catch {
    return false; // closed
  }
}

/** Structured logs on standard error: one JSON object per line, or text for systemd's journal. */
export function createLogger(level: string): Logger {
  const known = loggers.get(level);
  if (known) return known;
  const { logger, flush } = createProcessLog({ level, fd, stream: () => process.stderr, clock: systemClock, isJournal: writesToJournal() });
  process.on('exit', flush);
  loggers.set(level, logger);
  return logger;
}
