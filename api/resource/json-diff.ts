const contextLines = 3;
/** Above this many comparisons the differing part is shown as replaced in whole. */
const maxComparisons = 4_000_000;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** The longest common subsequence of the middle parts, without the common lines at both ends. */
function compareMiddle(a: readonly string[], b: readonly string[]): Line[] {
  const removed: Line[] = a.map((text) => ({ mark: '-', text }));
  const added: Line[] = b.map((text) => ({ mark: '+', text }));
  if (a.length * b.length > maxComparisons) return [...removed, ...added];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i] ?? '' });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(...removed.slice(i, ++i));
    else lines.push(...added.slice(j, ++j));
  }
  return lines;
}

function compareLines(a: readonly string[], b: readonly string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (texts: readonly string[]): Line[] => texts.map((text) => ({ mark: ' ', text }));
  const middle = compareMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))];
}

/** A unified diff of two values' indented JSON, or '' if they are equal: messages use it to show a forbidden change. */
export function diffJSON(a: unknown, b: unknown): string {
  const lines = compareLines(toLines(a), toLines(b));
  const shown = lines.map((_line, index) =>
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(({ mark }) => mark !== ' '),
  );
  let text = '';
  let oldLine = 1;
  let newLine = 1;
  for (let index = 0; index < lines.length; index++) {
    if (shown[index] && !shown[index - 1]) {
      const after = shown.indexOf(false, index);
      const hunk = lines.slice(index, after < 0 ? lines.length : after);
      const oldCount = hunk.filter(({ mark }) => mark !== '+').length;
      const newCount = hunk.filter(({ mark }) => mark !== '-').length;
      text += `@@ -${oldLine},${oldCount} +${newLine},${newCount} @@\n`;
    }
    const { mark, text: line } = lines[index] ?? { mark: ' ', text: '' };
    if (shown[index]) text += `${mark}${line}\n`;
    if (mark !== '+') oldLine++;
    if (mark !== '-') newLine++;
  }
  return text;
}

/** The JSON lines of a value with its fields sorted, so that only differences in content show. */
function toLines(value: unknown): string[] {
  const sorted = (_key: string, part: unknown) =>
    typeof part === 'bigint'
      ? String(part)
      : part === null || typeof part !== 'object' || Array.isArray(part)
        ? part
        : Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  return (JSON.stringify(value, sorted, 1) ?? 'null').split('\n');
}
