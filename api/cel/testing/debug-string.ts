import type { Expr } from '../syntax/ast.ts';
import type { CheckedExpr } from '../check/check.ts';
import { formatType } from '../types/types.ts';
import { type CELValue, UintValue } from '../types/values.ts';

/** The text after each part of a tree: its kind, or its type and the declaration it refers to. */
type Adorn = (expr: Expr) => string;

/** The tree as cel-go's debug printer shows it after parsing. */
export function debugString(expr: Expr): string {
  return new Printer((part) => `^#*expr.${kindName(part)}#`, '^#*expr.Expr_CreateStruct_Entry#').print(expr, 0);
}

/** The tree after type checking, with the type of each part. */
export function checkedDebugString({ expr, types, overloads }: CheckedExpr): string {
  const adorn = (part: Expr): string => {
    const type = types.get(part.id);
    const ids = overloads.get(part.id)?.map((overload) => overload.id);
    const reference = part.kind === 'ident' ? `^${part.name.replace(/^\./, '')}` : ids === undefined ? '' : `^${ids.join('|')}`;
    return `${type === undefined ? '' : `~${formatType(type)}`}${reference}`;
  };
  return new Printer(adorn, '').print(expr, 0);
}

function kindName(expr: Expr): string {
  switch (expr.kind) {
    case 'const':
      return `Constant_${constantKind(expr.value)}Value`;
    case 'ident':
      return 'Expr_IdentExpr';
    case 'select':
      return 'Expr_SelectExpr';
    case 'call':
      return 'Expr_CallExpr';
    case 'list':
      return 'Expr_ListExpr';
    case 'comprehension':
      return 'Expr_ComprehensionExpr';
    default:
      return 'Expr_StructExpr';
  }
}

function constantKind(value: CELValue): string {
  if (value === null) return 'Null';
  if (value instanceof Uint8Array) return 'Bytes';
  if (value instanceof UintValue) return 'Uint64';
  const names = { bigint: 'Int64', boolean: 'Bool', number: 'Double', string: 'String' } as const;
  const kind = typeof value;
  return kind === 'bigint' || kind === 'boolean' || kind === 'number' || kind === 'string' ? names[kind] : 'Unknown';
}

function constantText(value: CELValue): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\\u0007', '\\a').replaceAll('\\u000b', '\\v');
  if (value instanceof Uint8Array) return `b${JSON.stringify(new TextDecoder().decode(value))}`;
  if (value instanceof UintValue) return `${value.value}u`;
  if (typeof value === 'number') return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

class Printer {
  readonly #adorn: Adorn;
  readonly #entry: string;
  constructor(adorn: Adorn, entry: string) {
    this.#adorn = adorn;
    this.#entry = entry;
  }

  print(expr: Expr, depth: number): string {
    return this.#body(expr, depth) + this.#adorn(expr);
  }

  #body(expr: Expr, depth: number): string {
    const inner = (part: Expr) => this.print(part, depth + 1);
    switch (expr.kind) {
      case 'const':
        return constantText(expr.value);
      case 'ident':
        return expr.name;
      case 'select':
        return `${this.print(expr.operand, depth)}.${expr.field}${expr.testOnly ? '~test-only~' : ''}`;
      case 'call':
        return `${expr.target === undefined ? '' : `${this.print(expr.target, depth)}.`}${expr.name}${lines('(', expr.args.map(inner), ')', depth)}`;
      case 'list':
        return lines(
          '[',
          expr.elements.map((element, index) => (expr.optional.has(index) ? '?' : '') + inner(element)),
          ']',
          depth,
        );
      case 'map':
        return lines(
          '{',
          expr.entries.map(({ key, value, optional }) => `${optional ? '?' : ''}${inner(key)}:${inner(value)}${this.#entry}`),
          '}',
          depth,
        );
      case 'struct':
        return lines(
          `${expr.typeName}{`,
          expr.fields.map(({ name, value, optional }) => `${optional ? '?' : ''}${name}:${inner(value)}${this.#entry}`),
          '}',
          depth,
        );
      default:
        return `__comprehension__${lines(
          '(',
          [
            `// Variable\n${indent(depth + 1)}${expr.variable}`,
            ...(expr.variable2 === undefined ? [] : [`// Variable2\n${indent(depth + 1)}${expr.variable2}`]),
            ...(
              [
                ['Target', expr.range],
                ['Accumulator', expr.accumulator],
                ['Init', expr.initial],
                ['LoopCondition', expr.condition],
                ['LoopStep', expr.step],
                ['Result', expr.result],
              ] as const
            ).map(([name, part]) => `// ${name}\n${indent(depth + 1)}${typeof part === 'string' ? part : inner(part)}`),
          ],
          ')',
          depth,
        ).replace(/\n *\)$/, ')')}`;
    }
  }
}

const indent = (depth: number): string => '  '.repeat(depth);

function lines(open: string, parts: readonly string[], close: string, depth: number): string {
  if (parts.length === 0) return open + close;
  return `${open}\n${parts.map((part) => indent(depth + 1) + part).join(',\n')}\n${indent(depth)}${close}`;
}
