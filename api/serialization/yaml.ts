import {
  boolYaml11Tag,
  dump,
  loadAll,
  type LoadOptions,
  mapTag,
  mergeTag,
  nullYaml11Tag,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from 'js-yaml';
import { type JSONObject, setOwn } from '../base/json-object.ts';
import { floatTag, integerTag } from './yaml-numbers.ts';

/** The error for text that is not YAML, or more of it than is accepted. Worded like go-yaml's errors: `yaml: line 3: ...`. */
export class YAMLSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'YAMLSyntaxError';
  }
}

interface ParseYAMLOptions {
  /** Default 100; flow collections of YAML cost more than those of JSON. */
  readonly maxDepth?: number;
  /** Looks for repeated keys (fieldValidation Warn and Strict). */
  readonly findDuplicates?: boolean;
}

interface ParsedYAML {
  /** Plain data, as parseJSON returns it: no value is shared between two places. */
  readonly value: unknown;
  /** The warning of a repeated key, in go-yaml's words; the last value counted. */
  readonly duplicateProblem?: string;
}

const schema = new Schema([strTag, nullYaml11Tag, boolYaml11Tag, integerTag, floatTag, mergeTag, seqTag, mapTag]);

/** The most aliases of a document. People use few; a document with more of them is an attack. */
const maxAliases = 1000;
/** Values in a document once its aliases are written out. */
const maxExpandedValues = 1_000_000;

/**
 * Reads the first document of a YAML text as sigs.k8s.io/yaml does: `yes` and `on` are true, 0644 is octal, dates stay
 * text, `<<` merges, repeated keys overwrite. Aliases are written out, within limits. Throws YAMLSyntaxError.
 */
export function parseYAML(yaml: Uint8Array | string, options: ParseYAMLOptions = {}): ParsedYAML {
  const text = firstDocument(typeof yaml === 'string' ? yaml : new TextDecoder().decode(yaml));
  const loadOptions: LoadOptions = { schema, maxAliases, maxDepth: options.maxDepth ?? 100 };
  try {
    const { document, duplicateProblem } =
      options.findDuplicates === true ? loadStrictly(text, loadOptions) : loadLeniently(text, loadOptions);
    const value = expandAliases(document);
    return duplicateProblem === undefined ? { value } : { value, duplicateProblem };
  } catch (error) {
    if (error instanceof YAMLSyntaxError) throw error;
    throw new YAMLSyntaxError(formatException(error));
  }
}

interface Loaded {
  readonly document: unknown;
  readonly duplicateProblem?: string;
}

function loadLeniently(text: string, options: LoadOptions): Loaded {
  return { document: loadAll(text, { ...options, json: true })[0] ?? null };
}

/** Texts without repeated keys, as nearly all are, are read once. */
function loadStrictly(text: string, options: LoadOptions): Loaded {
  try {
    return { document: loadAll(text, options)[0] ?? null };
  } catch (error) {
    if (!(error instanceof YAMLException) || !error.reason.includes('duplicated mapping key')) throw error;
    const line = (error.mark?.line ?? 0) + 1;
    const key = keyAt(text, error.mark?.position ?? 0);
    const duplicateProblem = `yaml: unmarshal errors:\n  line ${line}: key ${JSON.stringify(key)} already set in map`;
    return { ...loadLeniently(text, options), duplicateProblem };
  }
}

/** A line that ends a document or begins the next. */
const documentMarker = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
/** The lines before a document: empty lines, comments and directives. */
const prologue = /^(?:[ \t]*(?:#.*)?(?:\r?\n|\r)|%.*(?:\r?\n|\r)|\.\.\.[ \t]*(?:\r?\n|\r))*/;

/** The text up to the end of its first document. The rest is not read. */
function firstDocument(text: string): string {
  const start = prologue.exec(text)?.[0].length ?? 0;
  documentMarker.lastIndex = text.startsWith('---', start) ? start + 3 : start;
  const marker = documentMarker.exec(text);
  return marker === null ? text : text.slice(0, marker.index);
}

/** The key that begins there; where it is quoted, after the quotation mark. */
function keyAt(text: string, position: number): string {
  const pattern = /(?<=")[^"]*|(?<=')[^']*|[^\s:,{}[\]]+/y;
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? '';
}

function formatException(error: unknown): string {
  if (!(error instanceof YAMLException)) return `yaml: ${error instanceof Error ? error.message : String(error)}`;
  return error.mark === undefined ? `yaml: ${error.reason}` : `yaml: line ${error.mark.line + 1}: ${error.reason}`;
}

/** A copy in which every alias is replaced by a value of its own. Refuses documents that grow too large this way, and cycles. */
function expandAliases(document: unknown): unknown {
  const open = new Set<object>();
  let count = 0;
  const copy = (value: unknown): unknown => {
    if (++count > maxExpandedValues) throw new YAMLSyntaxError('yaml: document contains excessive aliasing');
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new YAMLSyntaxError(`json: unsupported value: ${formatNonFinite(value)}`);
    if (typeof value !== 'object' || value === null) return value;
    if (open.has(value)) throw new YAMLSyntaxError('yaml: anchor value contains itself');
    open.add(value);
    const result = Array.isArray(value) ? value.map(copy) : copyEntries(value, copy);
    open.delete(value);
    return result;
  };
  return copy(document);
}

function copyEntries(value: object, copy: (value: unknown) => unknown): JSONObject {
  const result: JSONObject = {};
  for (const [key, item] of Object.entries(value)) setOwn(result, key, copy(item));
  return result;
}

function formatNonFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** Block style, keys sorted, lists not indented: as kubectl and the server write it. Reads back as the same value. */
export function formatYAML(value: unknown): string {
  return dump(value, { schema, noRefs: true, lineWidth: -1, seqNoIndent: true, quoteStyle: 'double', sortKeys: true });
}
