import { FieldPath } from '../validation/field-path.ts';
import { formatFieldError, invalid } from '../validation/field-error.ts';
import { qualifiedNameProblems } from '../validation/names.ts';
import type { LabelOperator, LabelRequirement } from './label-requirement.ts';
import { checkRequirement, LabelMatcher, SelectorError } from './label-selector.ts';

/** A word, an operator sign, or the end (''). The words `in` and `notin` are operators only where an operator is expected. */
interface Token {
  readonly text: string;
  readonly isWord: boolean;
}

const tokenPattern = /[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^ \t\r\n=!(),<>\0]+))/y;
const end: Token = { text: '', isWord: false };
const binaryOperators: ReadonlyMap<string, LabelOperator> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);

/** Reads the tokens of a selector one by one. */
interface Lexer {
  /** Where the next token begins. */
  position: number;
  peek(): Token;
  take(): Token;
}

/**
 * Reads the labelSelector query parameter: `a=b,c in (x,y),!d,e!=f,g>1`. Throws SelectorError with upstream's message, which
 * goes out as 400 Bad Request.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const lexer = createLexer(text);
  const requirements: LabelRequirement[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const simple = readSimple(text, lexer.position);
    if (simple) {
      requirements.push(simple.requirement);
      lexer.position = simple.end;
      if (!simple.hasComma) return LabelMatcher.ofChecked(requirements);
      continue;
    }
    const first = lexer.peek();
    if (isFirst && first === end) return LabelMatcher.everything;
    if (!first.isWord && first.text !== '!') {
      throw new SelectorError(
        isFirst
          ? `found '${first.text}', expected: !, identifier, or 'end of string'`
          : `found '${first.text}', expected: identifier after ','`,
      );
    }
    requirements.push(unable(() => parseRequirement(lexer.peek, lexer.take)));
    const next = lexer.take();
    if (next === end) return LabelMatcher.ofChecked(requirements);
    if (next.text !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
  }
}

const word = '[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?(?![-A-Za-z0-9_./])';
const space = '[ \\t\\r\\n]*';
const operatorAndValues = `(==?|!=)${space}(?:(${word})${space})?|(in|notin)${space}\\(([-A-Za-z0-9_., \\t\\r\\n]*)\\)${space}|([<>])${space}(\\d{1,18}(?![-A-Za-z0-9_./]))${space}`;
/** One requirement without a fault, and the comma behind it. No two parts of it can match the same text. */
const simplePattern = new RegExp(`${space}(?:(!)${space})?((?:[-a-z0-9.]{1,253}/)?${word})${space}(?:${operatorAndValues})?(,|$)`, 'y');
const valuePattern = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

interface Simple {
  readonly requirement: LabelRequirement;
  readonly end: number;
  readonly hasComma: boolean;
}

/**
 * The requirement at a position, if it is one that breaks no rule. Selectors can be as long as heads of requests; reading
 * them token by token takes ten times as long.
 */
function readSimple(text: string, position: number): Simple | undefined {
  simplePattern.lastIndex = position;
  const match = simplePattern.exec(text);
  if (match === null) return undefined;
  const [, negation, key = '', sign, value = '', setSign, list = '', comparison, bound = '', comma] = match;
  if (key.includes('/') && qualifiedNameProblems(key).length > 0) return undefined;
  const result = (operator: LabelOperator, values: readonly string[]): Simple => ({
    requirement: { key, operator, values },
    end: simplePattern.lastIndex,
    hasComma: comma === ',',
  });
  if (negation !== undefined) return (sign ?? setSign ?? comparison) === undefined ? result('!', []) : undefined;
  if (sign !== undefined) return result(sign as LabelOperator, [value]);
  if (comparison !== undefined) return result(comparison === '>' ? 'gt' : 'lt', [bound]);
  if (setSign === undefined) return result('exists', []);
  const values = new Set(list.split(',').map((item) => item.trim()));
  for (const item of values) if (!valuePattern.test(item)) return undefined;
  return result(setSign as LabelOperator, values.size === 1 ? [...values] : [...values].toSorted());
}

function createLexer(text: string): Lexer {
  let next: { readonly token: Token; readonly end: number } | undefined;
  const read = (position: number) => {
    tokenPattern.lastIndex = position;
    const match = tokenPattern.exec(text);
    if (match === null) return { token: end, end: position };
    const [, sign, name] = match;
    return { token: { text: sign ?? name ?? '', isWord: sign === undefined }, end: tokenPattern.lastIndex };
  };
  const lexer: Lexer = {
    position: 0,
    peek: () => (next ??= read(lexer.position)).token,
    take() {
      const taken = next ?? read(lexer.position);
      next = undefined;
      lexer.position = taken.end;
      return taken.token;
    },
  };
  return lexer;
}

function unable(parse: () => LabelRequirement): LabelRequirement {
  try {
    const requirement = parse();
    // Keys and values are checked at this point, so that the message names the step that failed.
    checkRequirement(requirement);
    return requirement;
  } catch (error) {
    throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error;
  }
}

function parseRequirement(peek: () => Token, take: () => Token): LabelRequirement {
  let first = take();
  const isNegated = first.text === '!' && !first.isWord;
  if (isNegated) first = take();
  if (!first.isWord) throw new SelectorError(`found '${first.text}', expected: identifier`);
  const key = first.text;
  const problems = qualifiedNameProblems(key);
  if (problems.length > 0) throw new SelectorError(formatFieldError(invalid(FieldPath.root, key, problems.join('; '))));
  if (isNegated) return { key, operator: '!', values: [] };
  const next = peek();
  if (next === end || (next.text === ',' && !next.isWord)) return { key, operator: 'exists', values: [] };
  const sign = take();
  const operator = binaryOperators.get(sign.text);
  if (operator === undefined) throw new SelectorError(`found '${sign.text}', expected: in, notin, =, ==, !=, gt, lt`);
  if (operator === 'in' || operator === 'notin') return { key, operator, values: parseValues(peek, take) };
  return { key, operator, values: [parseExactValue(peek, take)] };
}

function parseExactValue(peek: () => Token, take: () => Token): string {
  const next = peek();
  if (next === end || (next.text === ',' && !next.isWord)) return '';
  const value = take();
  if (!value.isWord) throw new SelectorError(`found '${value.text}', expected: identifier`);
  return value.text;
}

/** Parses `(x,y)`. Values may be empty, and an empty list holds one empty value. */
function parseValues(peek: () => Token, take: () => Token): string[] {
  const open = take();
  if (open.text !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  let isValueDue = true;
  for (;;) {
    const token = take();
    if (token.isWord) {
      values.add(token.text);
      isValueDue = false;
      const next = peek();
      if (next.text !== ',' && next.text !== ')') throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
    } else if (token.text === ',' || token.text === ')') {
      if (isValueDue) values.add('');
      if (token.text === ')') return [...values].toSorted();
      isValueDue = true;
    } else if (values.size > 0) {
      throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    } else {
      throw new SelectorError(`found '${token.text}', expected: ',', ')' or identifier`);
    }
  }
}
