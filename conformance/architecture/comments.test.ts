import assert from 'node:assert/strict';
import { sources } from './sources.ts';

/** Words that begin a comment without a noun: the reader does not learn what the thing is. */
const withoutNoun = /^(?:What|Those|One that|Whoever|Whatever|Whose)\b/;

/** First words of a file's comments, with the line they stand in; a `//` comment of several lines counts once. */
function beginnings(text: string): { readonly line: number; readonly text: string }[] {
  const found: { readonly line: number; readonly text: string }[] = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const doc = /^\s*\/\*\*\s*(.*)/.exec(line)?.[1];
    const note = /^\s*\/\/ (.*)/.exec(line)?.[1];
    if (doc !== undefined)
      found.push({ line: index + 1, text: doc === '' ? (/^\s*\* ?(.*)/.exec(lines[index + 1] ?? '')?.[1] ?? '') : doc });
    else if (note !== undefined && !/^\s*\/\//.test(lines[index - 1] ?? '')) found.push({ line: index + 1, text: note });
  });
  return found;
}

describe('architecture: comments', function () {
  // The first to ask for the sources parses them all.
  this.timeout(180_000);

  it('begin with a noun or a verb', () => {
    const wrong = sources().flatMap(({ path, text }) =>
      beginnings(text)
        .filter((comment) => withoutNoun.test(comment.text))
        .map((comment) => `${path}:${comment.line}: ${comment.text}`),
    );
    assert.deepEqual(wrong, []);
  });
});
