import { pino } from 'pino';
import type { Logger } from '../../api/base/logger.ts';

/** Structured logs, one JSON object a line, on standard error. */
export function createLogger(level: string): Logger {
  return adapt(pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, pino.destination({ dest: 2, sync: true })));
}

function adapt(log: ReturnType<typeof pino>): Logger {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    with: (fields) => adapt(log.child(fields)),
  };
}
