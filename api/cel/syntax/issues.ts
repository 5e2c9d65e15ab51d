/** A mistake in an expression: its offset in UTF-16 units (negative: the expression as a whole) and its message. */
export interface Issue {
  readonly offset: number;
  readonly message: string;
}

const maxIssues = 100;

/** The mistakes as cel-go prints them: each with its line of the source and a mark under the place. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  const sorted = issues
    .slice(0, maxIssues)
    .map((issue) => ({ issue, ...(issue.offset < 0 ? nowhere : placeOf(source, issue.offset)) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted.map(({ issue, line, column, text }) => {
    const head = `ERROR: <input>:${line}:${column + 1}: ${issue.message}`;
    if (text === undefined) return head;
    const before = [...text.slice(0)].slice(0, column);
    const mark = before.map((character) => (isWide(character) ? '．' : '.')).join('');
    const at = [...text][column];
    return `${head}\n | ${text.replaceAll('\t', ' ')}\n | ${mark}${at !== undefined && isWide(at) ? '＾' : '^'}`;
  });
  if (issues.length > maxIssues) lines.push(`${issues.length - maxIssues} more errors were truncated`);
  return lines.join('\n');
}

const nowhere = { line: -1, column: -1, text: undefined };

function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) > 0x7f;
}

function placeOf(source: string, offset: number): { line: number; column: number; text: string | undefined } {
  const before = source.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  const end = source.indexOf('\n', start);
  return {
    line: before.split('\n').length,
    column: [...before.slice(start)].length,
    text: source.slice(start, end < 0 ? undefined : end),
  };
}
