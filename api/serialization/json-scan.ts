/** The result of a scan of the text: whether it may be left to JSON.parse alone. */
interface JSONScan {
  /** The number of members of all objects, repeated ones included. */
  readonly memberCount: number;
  /** Deepest nesting, or the limit + 1 where the scan stopped because the limit was passed. */
  readonly depth: number;
  /** Whether there is a number with so many digits that a double may not hold it. */
  readonly hasLongNumber: boolean;
  /** A number with a fraction or an exponent. */
  readonly hasFraction: boolean;
  /** Whether there is an escape that may be half of a surrogate pair. */
  readonly hasSurrogateEscape: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
/** Integers of up to 15 digits are exact as doubles. */
const exactDigits = 15;

/** Index of the quote that ends the string whose first character is at `start`; the text's length if there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** Scans the text once without checking its grammar. Stops at the first value that is nested deeper than `maxDepth`. */
export function scanJSON(text: string, maxDepth: number): JSONScan {
  let memberCount = 0;
  let depth = 0;
  let deepest = 0;
  let digits = 0;
  let hasLongNumber = false;
  let hasFraction = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      i = endOfString(text, i + 1);
      digits = 0;
    } else if (code >= 0x30 && code <= 0x39) {
      if (++digits > exactDigits) hasLongNumber = true;
    } else {
      // Outside strings a point or an E after a digit is part of a number.
      if (code === 0x2e || (digits > 0 && (code === 0x65 || code === 0x45))) hasFraction = true;
      digits = 0;
      if (code === 0x3a) memberCount++;
      else if (code === 0x7b || code === 0x5b) {
        if (++depth > deepest) deepest = depth;
        if (deepest > maxDepth) break;
      } else if (code === 0x7d || code === 0x5d) depth--;
    }
  }
  return { memberCount, depth: deepest, hasLongNumber, hasFraction, hasSurrogateEscape: /\\u[dD][89abcdefABCDEF]/.test(text) };
}

/** Members of all objects in a parsed value. Recursive: the caller has bounded the depth. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) count += countMembers(value[index]);
    return count;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) count += 1 + countMembers(object[key]);
  return count;
}
