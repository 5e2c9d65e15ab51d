export interface CheckResult {
  readonly topic: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** The result in a line; of a failure, its message. */
  readonly detail: string;
  readonly seconds: number;
}

const marks = { passed: '✓', failed: '✗', 'not run': '-' } as const;
const detailWidth = 160;

/** The table of all results, one per line. */
export function formatTable(results: readonly CheckResult[]): string {
  const width = (cells: readonly string[]) => Math.max(0, ...cells.map((cell) => cell.length));
  const topicWidth = width(results.map(({ topic }) => topic));
  const nameWidth = width(results.map(({ name }) => name));
  return results
    .map(({ topic, name, outcome, detail, seconds }) => {
      const time = `${seconds.toFixed(0)} s`.padStart(6);
      return `${marks[outcome]} ${topic.padEnd(topicWidth)}  ${name.padEnd(nameWidth)} ${time}  ${firstLine(detail)}`.trimEnd();
    })
    .join('\n');
}

/** The last line. Checks that were not run because of an earlier failure count as failed. */
export function formatCounts(results: readonly CheckResult[]): string {
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  return `${passed} passed, ${results.length - passed} failed`;
}

function firstLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > detailWidth ? `${line.slice(0, detailWidth - 1)}…` : line;
}

/** A result as it is printed at once, with the details of a failure. */
export function formatResult({ topic, name, outcome, detail, seconds }: CheckResult): string {
  return `${marks[outcome]} ${topic}: ${name} (${seconds.toFixed(0)} s): ${detail.trim()}`;
}
