interface RememberingLimits {
  /** The maximum number of answers that are kept; when there are more, all are forgotten. */
  readonly entries: number;
  /** Answers for longer texts are not kept. */
  readonly length: number;
}

/**
 * Returns a function that keeps its results for the texts of recent calls, for texts that come again and again such as headers and
 * quantities. All callers share a result. Errors are not kept.
 */
export function remembering<T>(make: (text: string) => T, { entries, length }: RememberingLimits): (text: string) => T {
  const known = new Map<string, { readonly answer: T }>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found.answer;
    const answer = make(text);
    if (text.length > length) return answer;
    if (known.size >= entries) known.clear();
    known.set(text, { answer });
    return answer;
  };
}
