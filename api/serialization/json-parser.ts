import { JSONFloat } from '../base/json-float.ts';
import { setOwn } from '../base/json-object.ts';

/** Text that is no JSON; the message is that of Go's encoding/json, which clients of Kubernetes see. */
export class JSONSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JSONSyntaxError';
  }
}

export const tooDeepMessage = 'exceeded max depth';

/** Integers with more characters fit no type of the API by far, and reading them takes time with the square of that number. */
const maxIntegerLength = 64;
/** Upstream stops collecting after this many. */
const maxDuplicates = 100;

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** A character as Go quotes it in an error message. */
function quoteCharacter(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

/** `pathOf` makes the whole path of a member of the same object. */
type MemberListener = (key: string, isRepeated: boolean, pathOf: (key: string) => string) => void;

/**
 * A slow and exact JSON parser, for texts in which JSON.parse would lose something or whose errors it would not describe: it keeps integers
 * beyond 2^53 as bigint, replaces lone surrogates by U+FFFD as Go does, knows the paths of repeated members (the last one counts), and
 * reports errors in Go's words.
 */
export class JSONParser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #keepFloats: boolean;
  readonly #onMember: MemberListener | undefined;
  #at = 0;
  #depth = 0;
  readonly #path: string[] = [];
  readonly #duplicates = new Set<string>();

  /** `onMember` hears of the members in the order of the text, before their values are read. */
  constructor(text: string, maxDepth: number, keepFloats = false, onMember?: MemberListener) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#keepFloats = keepFloats;
    this.#onMember = onMember;
  }

  /** Paths such as `spec.containers[0].image`. */
  get duplicateFields(): readonly string[] {
    return [...this.#duplicates];
  }

  /** Throws JSONSyntaxError. */
  parse(): unknown {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#invalid('after top-level value');
    return value;
  }

  #invalid(where: string): JSONSyntaxError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return new JSONSyntaxError('unexpected end of JSON input');
    return new JSONSyntaxError(`invalid character ${quoteCharacter(String.fromCodePoint(code))} ${where}`);
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0d && code !== 0x0a) return;
      this.#at++;
    }
  }

  #value(): unknown {
    this.#skipSpace();
    const character = this.#text.charAt(this.#at);
    switch (character) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        if (character === '-' || (character >= '0' && character <= '9')) return this.#number();
        throw this.#invalid('looking for beginning of value');
    }
  }

  #nested(read: () => unknown): unknown {
    if (++this.#depth > this.#maxDepth) throw new JSONSyntaxError(tooDeepMessage);
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    let repeated: Set<string> | undefined;
    let prefix: string | undefined;
    const pathOf = (key: string) => {
      prefix ??= this.#path.length === 0 ? '' : `${this.#path.join('')}.`;
      return prefix + key;
    };
    this.#skipSpace();
    if (this.#text.charAt(this.#at) === '}') return this.#end(object);
    for (;;) {
      this.#skipSpace();
      if (this.#text.charAt(this.#at) !== '"') throw this.#invalid('looking for beginning of object key string');
      const key = this.#string();
      this.#skipSpace();
      if (this.#text.charAt(this.#at) !== ':') throw this.#invalid('after object key');
      this.#at++;
      const isRepeated = Object.hasOwn(object, key);
      if (isRepeated && this.#duplicates.size < maxDuplicates && repeated?.has(key) !== true) {
        (repeated ??= new Set()).add(key);
        this.#duplicates.add(pathOf(key));
      }
      this.#onMember?.(key, isRepeated, pathOf);
      this.#path.push(this.#path.length === 0 ? key : `.${key}`);
      const value = this.#value();
      this.#path.pop();
      setOwn(object, key, value);
      this.#skipSpace();
      const next = this.#text.charAt(this.#at);
      if (next === '}') return this.#end(object);
      if (next !== ',') throw this.#invalid('after object key:value pair');
      this.#at++;
    }
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#skipSpace();
    if (this.#text.charAt(this.#at) === ']') return this.#end(array);
    for (;;) {
      this.#path.push(`[${array.length}]`);
      array.push(this.#value());
      this.#path.pop();
      this.#skipSpace();
      const next = this.#text.charAt(this.#at);
      if (next === ']') return this.#end(array);
      if (next !== ',') throw this.#invalid('after array element');
      this.#at++;
    }
  }

  #end<T>(value: T): T {
    this.#at++;
    return value;
  }

  #literal<T>(word: string, value: T): T {
    for (const [index, expected] of [...word].entries()) {
      if (this.#text.charAt(this.#at) !== expected)
        throw this.#invalid(index === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting ${quoteCharacter(expected)})`);
      this.#at++;
    }
    return value;
  }

  #string(): string {
    this.#at++;
    let value = '';
    for (;;) {
      const start = this.#at;
      for (let code = this.#text.charCodeAt(this.#at); code >= 0x20 && code !== 0x22 && code !== 0x5c; )
        code = this.#text.charCodeAt(++this.#at);
      value += this.#text.slice(start, this.#at);
      const character = this.#text.charAt(this.#at);
      if (character === '"') {
        this.#at++;
        return value.toWellFormed();
      }
      if (character !== '\\') throw this.#invalid('in string literal');
      this.#at++;
      value += this.#escape();
    }
  }

  #escape(): string {
    const character = this.#text.charAt(this.#at);
    if (character === 'u') {
      this.#at++;
      const start = this.#at;
      for (; this.#at < start + 4; this.#at++) {
        if (!/[0-9a-fA-F]/.test(this.#text.charAt(this.#at))) throw this.#invalid('in \\u hexadecimal character escape');
      }
      return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
    }
    const plain = escapes[character];
    if (plain === undefined) throw this.#invalid('in string escape code');
    this.#at++;
    return plain;
  }

  #number(): number | bigint | JSONFloat {
    const start = this.#at;
    if (this.#text.charAt(this.#at) === '-') this.#at++;
    if (this.#text.charAt(this.#at) === '0') this.#at++;
    else this.#digits('in numeric literal');
    let isInteger = true;
    if (this.#text.charAt(this.#at) === '.') {
      isInteger = false;
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text.charAt(this.#at))) {
      isInteger = false;
      this.#at++;
      if (/[+-]/.test(this.#text.charAt(this.#at))) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
    const literal = this.#text.slice(start, this.#at);
    const value = Number(literal);
    if (!isInteger && this.#keepFloats && Number.isInteger(value)) return new JSONFloat(literal);
    if (!isInteger || Number.isSafeInteger(value)) return value;
    // No integer type has so many digits. Of shorter literals the exact value counts.
    if (literal.length > maxIntegerLength) return this.#keepFloats ? new JSONFloat(literal) : value;
    return BigInt(literal);
  }

  #digits(where: string): void {
    const start = this.#at;
    while (this.#text.charAt(this.#at) >= '0' && this.#text.charAt(this.#at) <= '9') this.#at++;
    if (this.#at === start) throw this.#invalid(where);
  }
}
