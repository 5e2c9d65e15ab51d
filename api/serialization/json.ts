import { JSONParser, JSONSyntaxError, tooDeepMessage } from './json-parser.ts';
import { countMembers, scanJSON } from './json-scan.ts';
import { formatJSON } from '../base/format-json.ts';

interface ParseJSONOptions {
  /** Deepest nesting accepted. Default 1000, so that recursive code over the value is safe; upstream accepts 10,000. */
  readonly maxDepth?: number;
  /** Looks for repeated members of objects (fieldValidation Warn and Strict). */
  readonly findDuplicates?: boolean;
  /** Marks whole numbers that are written as fractions (JSONFloat), for a value that is then decoded by a schema. */
  readonly keepFloats?: boolean;
}

interface ParsedJSON {
  /** Integers beyond 2^53 are bigint, all other numbers number. `__proto__` is a member like any other. */
  readonly value: unknown;
  /** Paths of repeated members, e.g. `spec.replicas`; the last value counted. Empty unless asked for. */
  readonly duplicateFields: readonly string[];
}

const defaultMaxDepth = 1000;
/** Bad UTF-8 becomes U+FFFD, as in Go; a byte order mark is an error there too. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Parses JSON at nearly the speed of JSON.parse; only texts with long numbers, surrogate escapes, repeated members or
 * errors are read a second time, exactly. Throws JSONSyntaxError with Go's message. The caller bounds the size.
 */
export function parseJSON(json: Uint8Array | string, options: ParseJSONOptions = {}): ParsedJSON {
  const text = typeof json === 'string' ? json : decoder.decode(json);
  const maxDepth = options.maxDepth ?? defaultMaxDepth;
  const scan = scanJSON(text, maxDepth);
  if (scan.depth > maxDepth) throw new JSONSyntaxError(tooDeepMessage);
  const keepFloats = options.keepFloats === true && scan.hasFraction;
  if (!scan.hasLongNumber && !scan.hasSurrogateEscape && !keepFloats) {
    const value = tryParse(text);
    if (value !== undefined && (options.findDuplicates !== true || countMembers(value) === scan.memberCount))
      return { value, duplicateFields: [] };
  }
  const parser = new JSONParser(text, maxDepth, keepFloats);
  const value = parser.parse();
  return { value, duplicateFields: options.findDuplicates === true ? parser.duplicateFields : [] };
}

/** undefined where the text is no JSON: the exact parser will say why. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The text of formatJSON in UTF-8. */
export function stringifyJSON(value: unknown): Uint8Array {
  return encoder.encode(formatJSON(value));
}
