import { FieldPath } from '../validation/field-path.ts';
import { formatFieldError, invalid } from '../validation/field-error.ts';
import { qualifiedNameProblems } from '../validation/names.ts';
import { checkRequirement, LabelMatcher, type LabelOperator, type LabelRequirement, SelectorError } from './label-selector.ts';

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

/**
 * Reads the labelSelector query parameter: `a=b,c in (x,y),!d,e!=f,g>1`. Throws SelectorError with upstream's message, which
 * goes out as 400 Bad Request.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const tokens = tokenize(text);
  const requirements: LabelRequirement[] = [];
  let position = 0;
  const peek = () => tokens[position] ?? end;
  const take = () => tokens[position++] ?? end;
  for (;;) {
    const first = peek();
    if (first === end) return LabelMatcher.ofChecked(requirements);
    if (!first.isWord && first.text !== '!') {
      throw new SelectorError(`found '${first.text}', expected: !, identifier, or 'end of string'`);
    }
    const requirement = unable(() => parseRequirement(peek, take));
    requirements.push(requirement);
    const next = take();
    if (next === end) return LabelMatcher.ofChecked(requirements);
    if (next.text !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
    const after = peek();
    if (!after.isWord && after.text !== '!') throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) {
    const [, sign, word] = match;
    tokens.push(sign === undefined ? { text: word ?? '', isWord: true } : { text: sign, isWord: false });
  }
  return tokens;
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
