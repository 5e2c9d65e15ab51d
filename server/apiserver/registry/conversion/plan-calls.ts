/** Limits of one call of a conversion webhook: the answer to more would be too large to be read. */
const maxObjects = 100;
const maxBytes = 1024 * 1024;

/** Items in calls of a webhook, in their order. An item that is larger than a call has one of its own. */
export function planCalls<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
  const calls: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const last = calls.at(-1);
    if (last && last.length < maxObjects && bytes + size <= maxBytes) {
      last.push(item);
      bytes += size;
    } else {
      calls.push([item]);
      bytes = size;
    }
  }
  return calls;
}
