/** An entry of a container's log file. */
export interface LogLine {
  /** The time as the runtime wrote it: RFC 3339, with up to nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Whether the line continues in the next entry of the same stream. */
  readonly isPartial: boolean;
  readonly content: string;
}

/**
 * Parses an entry in the CRI format, `2006-01-02T15:04:05.123456789Z stdout F text`, or in Docker's format:
 * `{"log":"text\n","stream":"stdout","time":"..."}`. Undefined for an incomplete entry.
 */
export function parseLogLine(line: string): LogLine | undefined {
  return line.startsWith('{') ? parseJSONLine(line) : parseCRILine(line);
}

/** Fields are split at blanks: the fraction of the time has no fixed width. */
function parseCRILine(line: string): LogLine | undefined {
  const afterTime = line.indexOf(' ');
  const afterStream = line.indexOf(' ', afterTime + 1);
  if (afterTime < 0 || afterStream < 0) return undefined;
  const afterTag = line.indexOf(' ', afterStream + 1);
  const stream = line.slice(afterTime + 1, afterStream);
  const tags = line.slice(afterStream + 1, afterTag < 0 ? undefined : afterTag).split(':');
  if ((stream !== 'stdout' && stream !== 'stderr') || !/^[FP]$/.test(tags[0] ?? '')) return undefined;
  return { time: line.slice(0, afterTime), stream, isPartial: tags[0] === 'P', content: afterTag < 0 ? '' : line.slice(afterTag + 1) };
}

function parseJSONLine(line: string): LogLine | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined; // cut off
  }
  const { log, stream, time } = entry as { readonly log?: unknown; readonly stream?: unknown; readonly time?: unknown };
  if (typeof log !== 'string' || typeof time !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  const isPartial = !log.endsWith('\n');
  return { time, stream, isPartial, content: isPartial ? log : log.slice(0, -1) };
}

/** A log's time as `kubectl logs --timestamps` shows it, whatever the runtime writes: nine digits of a second, Z for UTC. */
export function formatLogTime(time: string): string {
  const [, seconds, fraction = '', zone] = /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  if (seconds === undefined) return time;
  return `${seconds}.${fraction.padEnd(9, '0')}${zone === '+00:00' ? 'Z' : zone}`;
}
