const brace = 0x7b;
const backslash = 0x5c;
const [zero, seven, nine] = [0x30, 0x37, 0x39];

/**
 * The work of a pattern with a counted repetition, in bytes of other texts that take as long: `a{999}` is compiled as if it were written
 * out, up to a thousand times.
 */
const repetitionBytes = 1000;

/**
 * The work of checking a CustomResourceDefinition, as the number of bytes of a definition without patterns that takes as long. It is
 * found in the text of a body of any media type, before that is parsed: each brace that a digit or an escape follows may begin a
 * repetition, and so may each escape of a brace.
 */
export function weighDefinition(text: Uint8Array): number {
  let repetitions = 0;
  for (let at = text.indexOf(brace); at >= 0; at = text.indexOf(brace, at + 1)) {
    const next = text[at + 1] ?? 0;
    if (next === backslash || (next >= zero && next <= nine)) repetitions++;
  }
  for (let at = text.indexOf(backslash); at >= 0; at = text.indexOf(backslash, at + 1)) if (isEscapedBrace(text, at)) repetitions++;
  return text.length + repetitions * repetitionBytes;
}

const b = 0x62;
const lowerCase = 0x20;
/** `\x7b`, `\u007b` and `\U0000007b` of JSON and YAML. */
const escapes = new Map([
  [0x78, 2],
  [0x75, 4],
  [0x55, 8],
]);

function isEscapedBrace(text: Uint8Array, at: number): boolean {
  const digits = escapes.get(text[at + 1] ?? 0);
  return digits !== undefined && text[at + digits] === seven && ((text[at + 1 + digits] ?? 0) | lowerCase) === b;
}
