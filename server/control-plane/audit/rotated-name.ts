import { findTime, formatTime } from '../../../api/meta/time.ts';

/** 2006-01-02T15-04-05.000, as the files that upstream sets aside are named. */
export function formatMilliTime(ms: number): string {
  const milliseconds = String(Math.floor(ms) % 1000).padStart(3, '0');
  return `${formatTime(ms).slice(0, -1).replaceAll(':', '-')}.${milliseconds}`;
}

/** Milliseconds since the Unix epoch; undefined where the text is no such time. */
export function parseMilliTime(text: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)\.(\d{3})$/.exec(text);
  const ms = found ? findTime(`${found[1]}:${found[2]}:${found[3]}Z`) : undefined;
  return ms === undefined ? undefined : ms + Number(found?.[4]);
}
