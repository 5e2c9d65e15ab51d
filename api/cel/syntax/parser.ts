import { ExprBuilder } from './expr-builder.ts';
import { type Expr, type MapEntry, partsOf, type StructField } from './ast.ts';
import type { Issue } from './issues.ts';
import { parseNumber, type Token, tokenize } from './lexer.ts';
import type { Macro } from './macros.ts';
import { Failure } from '../types/values.ts';

type ParseResult = { readonly expr: Expr } | { readonly issues: readonly Issue[] };

/** Beyond this many code points an expression is not looked at. */
const maxCodePoints = 100_000;
const maxDepth = 250;
/** The greatest depth of the tree, macros expanded. */
const maxTreeDepth = 1000;

export interface ParseOptions {
  readonly macros: readonly Macro[];
  /** Whether `.?`, `[?` and `?key:` may be written. */
  readonly optionalSyntax: boolean;
  /** Whether fields may be written as `in backticks`. */
  readonly escapedIdentifiers: boolean;
}

/** Reads an expression and expands its macros. */
export function parseExpression(source: string, options: ParseOptions): ParseResult {
  const codePoints = source.length <= maxCodePoints ? source.length : [...source].length;
  if (codePoints > maxCodePoints) {
    return { issues: [{ offset: -1, message: `expression code point size exceeds limit: size: ${codePoints}, limit ${maxCodePoints}` }] };
  }
  const issues: Issue[] = [];
  const parser = new Parser(tokenize(source, issues), options, issues);
  const expr = parser.parse();
  if (issues.length > 0 || expr === undefined) return { issues };
  return isTooDeep(expr) ? { issues: [{ offset: -1, message: 'max recursion depth exceeded' }] } : { expr };
}

/**
 * Whether the tree is too deep to be walked. Chains within parentheses within chains can pass the parser's limits and still be too deep.
 */
function isTooDeep(expr: Expr): boolean {
  let level: readonly Expr[] = [expr];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxTreeDepth) return true;
    level = level.flatMap(partsOf);
  }
  return false;
}

/** Ends the parse at the first mistake of syntax, which has been reported. */
class SyntaxProblem {}

const reserved = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
);
const relations: ReadonlyMap<string, string> = new Map([
  ['<', '_<_'],
  ['<=', '_<=_'],
  ['>=', '_>=_'],
  ['>', '_>_'],
  ['==', '_==_'],
  ['!=', '_!=_'],
  ['in', '@in'],
]);
const sums: ReadonlyMap<string, string> = new Map([
  ['+', '_+_'],
  ['-', '_-_'],
]);
const products: ReadonlyMap<string, string> = new Map([
  ['*', '_*_'],
  ['/', '_/_'],
  ['%', '_%_'],
]);
const expectedEntry = `{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;
const expectedPrimary = `{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #options: ParseOptions;
  readonly #issues: Issue[];
  readonly #build = new ExprBuilder();
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], options: ParseOptions, issues: Issue[]) {
    this.#tokens = tokens;
    this.#options = options;
    this.#issues = issues;
  }

  parse(): Expr | undefined {
    try {
      const expr = this.#expression();
      if (this.#token.kind !== 'end') this.#unexpected(this.#token, '<EOF>', this.#tokens[this.#at + 1]?.kind === 'end');
      return expr;
    } catch (problem) {
      if (problem instanceof SyntaxProblem) return undefined;
      throw problem;
    }
  }

  get #token(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('no tokens');
    return token;
  }

  #isNext(text: string): boolean {
    return this.#token.kind === 'punctuation' && this.#token.text === text;
  }

  #take(): Token {
    const token = this.#token;
    this.#at++;
    return token;
  }

  #takeIf(text: string): Token | undefined {
    return this.#isNext(text) ? this.#take() : undefined;
  }

  /** Reads a token. `expected` is its name in the error message, where that differs from its text. */
  #expect(text: string, expected = `'${text}'`): Token {
    if (this.#isNext(text)) return this.#take();
    const token = this.#token;
    const next = this.#tokens[this.#at + 1];
    const isExtraneous = next?.kind === 'punctuation' && next.text === text;
    const mayFollow = token.kind === 'end' || (token.kind === 'punctuation' && ',:?)]}'.includes(token.text));
    // A closing sign after which the rest would fit is called missing.
    if (!isExtraneous && mayFollow && ')]'.includes(text) && expected === `'${text}'`)
      return this.#fail(token, `missing '${text}' at '${token.text}'`);
    return this.#unexpected(token, expected, isExtraneous);
  }

  /** Reports a token as extraneous if the one after it would fit, else as mismatched. */
  #unexpected(token: Token, expected: string, fitsNext: boolean): never {
    return this.#fail(token, `${fitsNext ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${expected}`);
  }

  #fail(token: Token, message: string): never {
    this.#issues.push({ offset: token.offset, message: `Syntax error: ${message}` });
    throw new SyntaxProblem();
  }

  /** Takes a question mark; `at` is where it counts as written when it is not allowed. */
  #optionalMark(at: Token, written: string): boolean {
    if (this.#takeIf('?') === undefined) return false;
    if (!this.#options.optionalSyntax) this.#issues.push({ offset: at.offset, message: `unsupported syntax '${written}'` });
    return true;
  }

  #checkQuoted(name: Token): void {
    if (name.kind !== 'quoted' || this.#options.escapedIdentifiers) return;
    this.#issues.push({ offset: name.offset, message: "unsupported syntax: '`'" });
  }

  #checkDepth(depth: number): void {
    if (depth <= maxDepth) return;
    this.#issues.push({ offset: -1, message: `expression recursion limit exceeded: ${maxDepth}` });
    throw new SyntaxProblem();
  }

  #expression(): Expr {
    this.#checkDepth(++this.#depth);
    const condition = this.#or();
    const question = this.#takeIf('?');
    let expr = condition;
    if (question !== undefined) {
      const whenTrue = this.#or();
      this.#expect(':');
      expr = this.#build.at(question.offset).call('_?_:_', condition, whenTrue, this.#expression());
    }
    this.#depth--;
    return expr;
  }

  #or(): Expr {
    return this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()));
  }

  /** Makes a balanced tree of a chain of one operator, so that long chains are not deep. */
  #logical(sign: string, name: string, operand: () => Expr): Expr {
    const terms = [operand()];
    const offsets: number[] = [];
    for (let operator = this.#takeIf(sign); operator !== undefined; operator = this.#takeIf(sign)) {
      offsets.push(operator.offset);
      terms.push(operand());
    }
    const term = (index: number): Expr => terms[index] ?? operand();
    const balance = (low: number, high: number): Expr => {
      const middle = Math.floor((low + high + 1) / 2);
      const left = middle === low ? term(middle) : balance(low, middle - 1);
      const right = middle === high ? term(middle + 1) : balance(middle + 1, high);
      return this.#build.at(offsets[middle] ?? 0).call(name, left, right);
    };
    return offsets.length === 0 ? term(0) : balance(0, offsets.length - 1);
  }

  #binary(operators: ReadonlyMap<string, string>, operand: () => Expr): Expr {
    let left = operand();
    for (let depth = 1; this.#token.kind === 'punctuation'; depth++) {
      const name = operators.get(this.#token.text);
      if (name === undefined) break;
      this.#checkDepth(depth);
      const { offset } = this.#take();
      left = this.#build.at(offset).call(name, left, operand());
    }
    return left;
  }

  #relation(): Expr {
    return this.#binary(relations, () => this.#binary(sums, () => this.#binary(products, () => this.#unary())));
  }

  #unary(): Expr {
    const first = this.#token;
    for (const [sign, name] of [
      ['!', '!_'],
      ['-', '-_'],
    ] as const) {
      if (!this.#isNext(sign)) continue;
      let count = 0;
      while (this.#isNext(sign) && !(count === 0 && sign === '-' && this.#isNumber(this.#at + 1))) {
        this.#take();
        count++;
      }
      const operand = this.#member();
      return count % 2 === 0 ? operand : this.#build.at(first.offset).call(name, operand);
    }
    return this.#member();
  }

  #isNumber(at: number): boolean {
    const token = this.#tokens[at];
    return token?.kind === 'literal' && token.value === undefined;
  }

  #member(): Expr {
    let expr = this.#primary();
    for (let depth = 1; ; depth++) {
      this.#checkDepth(depth);
      const dot = this.#takeIf('.');
      if (dot !== undefined) {
        expr = this.#afterDot(expr, dot);
        continue;
      }
      const open = this.#takeIf('[');
      if (open === undefined) return expr;
      const optional = this.#optionalMark(open, '[?');
      if (this.#token.kind === 'end') this.#unexpected(this.#token, expectedPrimary.replace("'!', ", "'!', '?', "), false);
      const index = this.#expression();
      this.#expect(']');
      expr = this.#build.at(open.offset).call(optional ? '_[?_]' : '_[_]', expr, index);
    }
  }

  #afterDot(operand: Expr, dot: Token): Expr {
    const optional = this.#optionalMark(dot, '.?');
    const name = this.#take();
    this.#checkQuoted(name);
    if (name.kind !== 'ident' && name.kind !== 'quoted') {
      const isWord = /^\w/.test(name.text);
      const seen = name.kind === 'end' ? '.' : `.${name.text}`;
      this.#fail(name, isWord ? `mismatched input '${name.text}' expecting IDENTIFIER` : `no viable alternative at input '${seen}'`);
    }
    const open = this.#isNext('(') && !optional && name.kind === 'ident' ? this.#take() : undefined;
    if (open === undefined) {
      const field = name.kind === 'quoted' ? name.text.slice(1, -1) : name.text;
      const build = this.#build.at(dot.offset);
      return optional ? build.call('_?._', operand, build.literal(field)) : build.select(operand, field);
    }
    const args = this.#arguments();
    return this.#callOrMacro(name.text, open, operand, args);
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#takeIf(')') !== undefined) return args;
    if (this.#token.kind === 'end') this.#unexpected(this.#token, expectedPrimary.replace("'(', ", "'(', ')', "), false);
    do args.push(this.#expression());
    while (this.#takeIf(',') !== undefined);
    this.#expect(')');
    return args;
  }

  #callOrMacro(name: string, open: Token, target: Expr | undefined, args: readonly Expr[]): Expr {
    const build = this.#build.at(open.offset);
    for (const macro of this.#options.macros) {
      if (macro.name !== name || macro.isMember !== (target !== undefined) || macro.argCount !== args.length) continue;
      const expanded = macro.expand(build, target ?? build.literal(null), args, (expr, message) =>
        this.#issues.push({ offset: expr.offset, message }),
      );
      if (expanded !== undefined) return expanded;
    }
    return target === undefined ? build.call(name, ...args) : build.memberCall(name, target, ...args);
  }

  #primary(): Expr {
    const token = this.#take();
    if (token.kind === 'ident') return this.#identifierOrStruct('', token);
    if (token.kind === 'literal') return this.#literal(token, '');
    if (token.kind === 'punctuation') {
      if (token.text === '-' && this.#isNumber(this.#at)) return this.#literal(this.#take(), '-', token.offset);
      if (token.text === '(') {
        const expr = this.#expression();
        this.#expect(')');
        return expr;
      }
      if (token.text === '[') return this.#list(token);
      if (token.text === '{') return this.#map(token);
      if (token.text === '.' && this.#token.kind === 'ident') return this.#identifierOrStruct('.', this.#take(), token.offset);
    }
    const next = this.#tokens[this.#at];
    const fits =
      next !== undefined &&
      (next.kind === 'ident' || next.kind === 'literal' || (next.kind === 'punctuation' && '[{(.-!'.includes(next.text)));
    return this.#unexpected(token, expectedPrimary, token.kind !== 'end' && fits);
  }

  #literal(token: Token, sign: '' | '-', offset = token.offset): Expr {
    if (token.value !== undefined) return this.#build.at(offset).literal(token.value);
    try {
      return this.#build.at(offset).literal(parseNumber(sign + token.text));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#issues.push({ offset, message: error.message });
      return this.#build.at(offset).literal(0n);
    }
  }

  #identifierOrStruct(dot: '' | '.', token: Token, offset = token.offset): Expr {
    const open = this.#takeIf('(');
    if (open !== undefined) return this.#callOrMacro(dot + token.text, open, undefined, this.#arguments());
    // A message is made by `a.b.C{...}`: look ahead for the brace, names and dots only.
    let ahead = this.#at;
    let name = token.text;
    while (this.#tokens[ahead]?.text === '.' && this.#tokens[ahead + 1]?.kind === 'ident') {
      name += `.${this.#tokens[ahead + 1]?.text}`;
      ahead += 2;
    }
    if (this.#tokens[ahead]?.kind === 'punctuation' && this.#tokens[ahead]?.text === '{') {
      this.#at = ahead;
      return this.#struct(dot + name, this.#take());
    }
    if (!reserved.has(token.text)) return this.#build.at(offset).ident(dot + token.text);
    this.#issues.push({ offset, message: `reserved identifier: ${token.text}` });
    return this.#build.at(offset).literal(null);
  }

  #list(open: Token): Expr {
    const elements: Expr[] = [];
    const optional = new Set<number>();
    while (this.#takeIf(']') === undefined) {
      if (this.#optionalMark(this.#token, '?')) optional.add(elements.length);
      elements.push(this.#expression());
      if (this.#takeIf(',') === undefined) {
        this.#expect(']', "{']', ','}");
        break;
      }
      // After a comma the list may end, but must then be closed.
      if (this.#token.kind === 'end') this.#expect(']');
    }
    return this.#build.at(open.offset).list(elements, optional);
  }

  #map(open: Token): Expr {
    const entries: MapEntry[] = [];
    if (this.#token.kind === 'end' || this.#isNext(':')) this.#unexpected(this.#token, expectedEntry, this.#isNext(':'));
    while (this.#takeIf('}') === undefined) {
      const optional = this.#optionalMark(this.#token, '?');
      const key = this.#expression();
      const { offset } = this.#expect(':');
      entries.push({ id: this.#build.nextID(), offset, key, value: this.#expression(), optional });
      if (this.#takeIf(',') !== undefined) continue;
      this.#expect('}', "{'}', ','}");
      break;
    }
    return this.#build.at(open.offset).map(entries);
  }

  #struct(typeName: string, open: Token): Expr {
    const fields: StructField[] = [];
    while (this.#takeIf('}') === undefined) {
      const optional = this.#optionalMark(this.#token, '?');
      const name = this.#take();
      this.#checkQuoted(name);
      if (name.kind !== 'ident' && name.kind !== 'quoted')
        this.#unexpected(name, "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}", this.#token.kind === 'ident');
      const { offset } = this.#expect(':');
      const field = name.kind === 'quoted' ? name.text.slice(1, -1) : name.text;
      fields.push({ id: this.#build.nextID(), offset, name: field, value: this.#expression(), optional });
      if (this.#takeIf(',') !== undefined) continue;
      this.#expect('}', "{'}', ','}");
      break;
    }
    return this.#build.at(open.offset).struct(typeName, fields);
  }
}
