/** Priorities of syslog by pino's levels: the highest that the level reaches. */
const priorities = [
  { level: 60, priority: 2 },
  { level: 50, priority: 3 },
  { level: 40, priority: 4 },
  { level: 30, priority: 6 },
  { level: 0, priority: 7 },
] as const;

/** Formats one of pino's lines (a JSON object) for systemd's journal on standard error: `<4>message {"field":...}`. sd-daemon(3) */
export function formatJournalLine(line: string): string {
  const entry = findObject(line);
  if (entry === undefined) return line;
  const { level, time: _time, msg, ...fields } = entry;
  const priority = priorities.find((one) => typeof level === 'number' && level >= one.level)?.priority ?? 6;
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  // A newline would begin another entry.
  return `<${priority}>${String(msg ?? '').replaceAll('\n', ' ')}${rest}\n`;
}

function findObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the descriptor is the one that systemd connected to the journal: `JOURNAL_STREAM` contains its device and inode, and programs
 * that write elsewhere inherit it too (systemd.exec(5)).
 */
export function isJournalStream(variable: string | undefined, { dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  return variable === `${dev}:${ino}`;
}
