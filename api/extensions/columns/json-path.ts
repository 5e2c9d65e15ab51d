import { isEqual } from '../../base/equality.ts';
import { isJSONObject, type JSONObject } from '../../base/json-object.ts';

/** A JSONPath as kubectl and printer columns have it, read once; `find` gives the values that it leads to. */
export interface JSONPath {
  find(value: unknown): readonly unknown[];
}

/** A path that cannot be read, or a value to which it does not fit. */
export class JSONPathError extends Error {
  override readonly name = 'JSONPathError';
}

type Step = (values: readonly unknown[]) => readonly unknown[];

/** Values that a path may lead to: `..` and `*` multiply them. */
const maxValues = 10_000;
const maxDepth = 100;
const fieldEnd = new Set([' ', '.', ',', '[', ']', '$', '@', '{', '}', '=', '!', '<', '>', ')']);

/** Reads a path such as `.status.conditions[?(@.type=="Ready")].status`. Throws JSONPathError. */
export function parseJSONPath(text: string): JSONPath {
  const reader = new Reader(text);
  const steps = reader.readSteps();
  if (!reader.isAtEnd) throw new JSONPathError(`unexpected ${JSON.stringify(reader.rest)} in ${JSON.stringify(text)}`);
  return { find: (value) => follow(steps, [value]) };
}

function follow(steps: readonly Step[], values: readonly unknown[]): readonly unknown[] {
  let found = values;
  for (const step of steps) {
    found = step(found);
    if (found.length > maxValues) throw new JSONPathError('the path leads to too many values');
  }
  return found;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  #take(prefix: string): boolean {
    if (!this.#text.startsWith(prefix, this.#at)) return false;
    this.#at += prefix.length;
    return true;
  }

  readSteps(): Step[] {
    const steps: Step[] = [];
    if (!this.#take('$')) this.#take('@');
    for (;;) {
      if (this.#take('..')) {
        steps.push(recursively);
        if (!this.isAtEnd && this.#text[this.#at] !== '[') steps.push(this.#readField());
      } else if (this.#take('.')) {
        if (!this.isAtEnd && this.#text[this.#at] !== '[') steps.push(this.#readField());
      } else if (this.#take('[')) steps.push(this.#readSubscript());
      else return steps;
    }
  }

  #readField(): Step {
    let name = '';
    for (; !this.isAtEnd; this.#at++) {
      let character = this.#text[this.#at] ?? '';
      if (fieldEnd.has(character)) break;
      if (character === '\\') character = this.#text[++this.#at] ?? '';
      name += character;
    }
    if (name === '') throw new JSONPathError('a field has no name');
    return name === '*' ? everything : field(name);
  }

  #readSubscript(): Step {
    if (this.#take('?(')) return this.#readFilter();
    const alternatives: Step[] = [];
    do alternatives.push(this.#readAlternative());
    while (this.#take(','));
    if (!this.#take(']')) throw new JSONPathError('unterminated array');
    const [only] = alternatives;
    return alternatives.length === 1 && only ? only : (values) => alternatives.flatMap((one) => [...one(values)]);
  }

  #readAlternative(): Step {
    const quoted = /^(?:'([^']*)'|"([^"]*)")/.exec(this.rest);
    if (quoted) {
      this.#at += quoted[0].length;
      // A quoted name is one step of the path, with its dots escaped.
      const steps = new Reader(`.${quoted[1] ?? quoted[2] ?? ''}`).readSteps();
      return (values) => follow(steps, values);
    }
    if (this.#take('*')) return everything;
    const part = /^(-?\d+)?(?:(:)(-?\d+)?(?::(\d+)?)?)?/.exec(this.rest);
    const [whole = '', from, colon, to, step] = part ?? [];
    if (whole === '') throw new JSONPathError(`invalid array index ${this.rest}`);
    this.#at += whole.length;
    if (colon === undefined) return slice({ from: Number(from), isIndex: true });
    return slice({ ...(from ? { from: Number(from) } : {}), ...(to ? { to: Number(to) } : {}), ...(step ? { step: Number(step) } : {}) });
  }

  #readQuoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote !== "'" && quote !== '"') return undefined;
    let text = '';
    for (this.#at++; !this.isAtEnd; this.#at++) {
      const character = this.#text[this.#at] ?? '';
      if (character === quote) {
        this.#at++;
        return text;
      }
      text += character === '\\' ? (this.#text[++this.#at] ?? '') : character;
    }
    throw new JSONPathError('unterminated quoted string');
  }

  #readFilter(): Step {
    const left = this.#readOperand();
    this.#skipSpaces();
    const operator = ['==', '!=', '<=', '>=', '<', '>'].find((one) => this.#take(one));
    const right = operator === undefined ? undefined : this.#readOperand();
    this.#skipSpaces();
    if (!this.#take(')]')) throw new JSONPathError('unterminated filter');
    return filter(left, operator, right);
  }

  #skipSpaces(): void {
    while (this.#take(' '));
  }

  #readOperand(): Step {
    this.#skipSpaces();
    const quoted = this.#readQuoted();
    if (quoted !== undefined) return () => [quoted];
    const word = /^(?:true|false|-?\d+(?:\.\d+)?)/.exec(this.rest)?.[0];
    if (word !== undefined) {
      this.#at += word.length;
      return () => [JSON.parse(word) as unknown];
    }
    const steps = this.readSteps();
    if (steps.length === 0) throw new JSONPathError(`unrecognized operand ${this.rest}`);
    return (values) => follow(steps, values);
  }
}

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isJSONObject(value) && Object.hasOwn(value, name) ? [(value as JSONObject)[name]] : []));
}

function partsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : isJSONObject(value) ? Object.values(value) : [];
}

function everything(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value) => [...partsOf(value)]);
}

/** The values and all that is in them, as far as that is lists and objects. */
function recursively(values: readonly unknown[]): readonly unknown[] {
  const found: unknown[] = [];
  const visit = (value: unknown, depth: number): void => {
    const parts = partsOf(value);
    if (parts.length === 0 || found.length > maxValues || depth > maxDepth) return;
    found.push(value);
    for (const part of parts) visit(part, depth + 1);
  };
  for (const value of values) visit(value, 0);
  return found;
}

interface Slice {
  readonly from?: number;
  readonly to?: number;
  readonly step?: number;
  readonly isIndex?: boolean;
}

function slice({ from = 0, to, step = 1, isIndex = false }: Slice): Step {
  if (step <= 0) throw new JSONPathError('step must be > 0');
  return (values) =>
    values.flatMap((value) => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) throw new JSONPathError('a value is not array or slice');
      const list = value as unknown[];
      const start = from < 0 ? from + list.length : from;
      const end = isIndex ? start + 1 : to === undefined ? list.length : to < 0 ? to + list.length : to;
      if (start === end) return [];
      if (start < 0 || start >= list.length || end < 0 || end > list.length || start > end)
        throw new JSONPathError(`array index out of bounds: index ${start}, length ${list.length}`);
      return list.slice(start, end).filter((_, index) => index % step === 0);
    });
}

function filter(left: Step, operator: string | undefined, right: Step | undefined): Step {
  const passes = (element: unknown): boolean => {
    const lefts = left([element]);
    if (operator === undefined) return lefts.length > 0;
    const rights = right?.([element]) ?? [];
    if (lefts.length === 0 || rights.length === 0) return false;
    if (lefts.length > 1 || rights.length > 1) throw new JSONPathError('can only compare one element at a time');
    return compare(lefts[0], operator, rights[0]);
  };
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new JSONPathError('a value is not array or slice and cannot be filtered');
      return (value as unknown[]).filter(passes);
    });
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (typeof left !== typeof right) throw new JSONPathError('incompatible types for comparison');
  if (operator === '==') return isEqual(left, right);
  if (operator === '!=') return !isEqual(left, right);
  const [a, b] = [left as number | string, right as number | string];
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b;
}
