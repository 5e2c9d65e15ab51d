interface BusMessage {
  readonly type?: string;
  readonly member?: string;
  readonly payload?: { readonly data?: readonly unknown[] };
}

/** Reads a line of `busctl monitor --json=short` about a shutdown: whether it begins; undefined where it is about something else. */
export function findPreparation(line: string): boolean | undefined {
  try {
    const { type, member, payload } = JSON.parse(line) as BusMessage;
    const value = payload?.data?.[0];
    return type === 'signal' && member === 'PrepareForShutdown' && typeof value === 'boolean' ? value : undefined;
  } catch {
    return undefined; // no message
  }
}

/** The number of a property as `busctl get-property` prints it: `t 5000000`. */
export function parseMicroseconds(text: string): number {
  const number = /^t (\d+)\s*$/.exec(text)?.[1];
  if (number === undefined) throw new Error(`busctl: "${text.trim()}" is no number of microseconds`);
  return Number(number);
}
