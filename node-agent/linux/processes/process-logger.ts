import { pino, type Logger as PinoLogger } from 'pino';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { formatJournalLine } from './journal-line.ts';
import { createLogDestination, type LogDestination, type LogStream, writerTo } from './log-destination.ts';

interface ProcessLogOptions {
  readonly level: string;
  readonly fd: number;
  /** The same as a stream, asked for only where it has to be used. */
  readonly stream: () => LogStream;
  readonly clock: Clock;
  /** Lines go to systemd's journal: text with a priority in front, without a time. Otherwise each is a JSON object. */
  readonly isJournal: boolean;
}

interface ProcessLog {
  readonly logger: Logger;
  /** Writes the lines that a slow reader has not taken yet; for the end of the process. */
  flush(): void;
}

/** The log of a process. It never ends or delays the process, whatever becomes of the place where lines are written. */
export function createProcessLog({ level, fd, stream, clock, isJournal }: ProcessLogOptions): ProcessLog {
  const format = isJournal ? formatJournalLine : (line: string) => line;
  const describeDropped = (dropped: number) =>
    format(`${JSON.stringify({ level: pino.levels.values['warn'], time: clock.nowMs(), dropped, msg: 'log lines were dropped' })}\n`);
  const destination: LogDestination = createLogDestination({ write: writerTo(fd, stream), clock, describeDropped });
  const log = pino(
    { level, base: null, serializers: { error: pino.stdSerializers.err } },
    { write: (line) => destination.write(format(line)) },
  );
  return { logger: adapt(log), flush: destination.flush };
}

function adapt(log: PinoLogger): Logger {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    with: (fields) => adapt(log.child(fields)),
  };
}
