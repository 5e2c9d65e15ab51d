interface RememberingLimits {
  /** The maximum number of answers that are kept; when there are more, all are forgotten. */
  readonly entries: number;
  /** Answers for longer texts are not kept. */
  readonly length: number;
}

/**
 * The same function, which keeps what it has made of the texts it was asked about lately: for texts that come again and
 * again, as headers and quantities do. Whoever gets an answer shares it with others. What is thrown is not kept.
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
