import { accumulatorName, type Expr } from './ast.ts';
import type { ExprBuilder } from './expr-builder.ts';

/** A call that the parser replaces before anything else sees it. */
export interface Macro {
  readonly name: string;
  readonly isMember: boolean;
  readonly argCount: number;
  /** Undefined: this call is none of the macro after all. Of calls without target `target` is a null literal. */
  expand(build: ExprBuilder, target: Expr, args: readonly Expr[], report: (at: Expr, message: string) => void): Expr | undefined;
}

type Expand = (build: ExprBuilder, target: Expr, variables: readonly string[], rest: readonly [Expr, Expr]) => Expr;

/** A member macro whose first arguments name variables. */
function foldMacro(name: string, variableCount: 1 | 2, restCount: 1 | 2, expand: Expand, noName = 'argument must be a simple name'): Macro {
  return {
    name,
    isMember: true,
    argCount: variableCount + restCount,
    expand: (build, target, args, report) => {
      const variables = namesOf(args.slice(0, variableCount), noName, report);
      const [first, second] = [args[variableCount], args[args.length - 1]];
      if (variables === undefined || first === undefined || second === undefined) return target;
      return expand(build, target, variables, [first, second]);
    },
  };
}

function namesOf(exprs: readonly Expr[], noName: string, report: (at: Expr, message: string) => void): string[] | undefined {
  const names: string[] = [];
  for (const expr of exprs) {
    if (expr.kind !== 'ident' || expr.name.startsWith('.')) {
      report(expr, noName);
      return undefined;
    }
    if (expr.name === accumulatorName || expr.name === '__result__') {
      report(expr, 'iteration variable overwrites accumulator variable');
      return undefined;
    }
    if (names.includes(expr.name)) {
      report(expr, `duplicate variable name: ${expr.name}`);
      return undefined;
    }
    names.push(expr.name);
  }
  return names;
}

const variablesOf = ([variable = '', variable2]: readonly string[]) => ({
  variable,
  ...(variable2 === undefined ? {} : { variable2 }),
});

const expandAll: Expand = (build, range, variables, [predicate]) =>
  build.fold({
    ...variablesOf(variables),
    range,
    initial: build.literal(true),
    condition: build.call('@not_strictly_false', build.accumulator()),
    step: build.call('_&&_', build.accumulator(), predicate),
    result: build.accumulator(),
  });

const expandExists: Expand = (build, range, variables, [predicate]) =>
  build.fold({
    ...variablesOf(variables),
    range,
    initial: build.literal(false),
    condition: build.call('@not_strictly_false', build.call('!_', build.accumulator())),
    step: build.call('_||_', build.accumulator(), predicate),
    result: build.accumulator(),
  });

const expandExistsOne: Expand = (build, range, variables, [predicate]) =>
  build.fold({
    ...variablesOf(variables),
    range,
    initial: build.literal(0n),
    condition: build.literal(true),
    step: build.call('_?_:_', predicate, build.call('_+_', build.accumulator(), build.literal(1n)), build.accumulator()),
    result: build.call('_==_', build.accumulator(), build.literal(1n)),
  });

const append = (build: ExprBuilder, element: Expr): Expr => build.call('_+_', build.accumulator(), build.list([element]));

/** `filter` is undefined where every element is taken. */
function collect(build: ExprBuilder, range: Expr, variables: readonly string[], initial: Expr, step: Expr, filter?: Expr): Expr {
  return build.fold({
    ...variablesOf(variables),
    range,
    initial,
    condition: build.literal(true),
    step: filter === undefined ? step : build.call('_?_:_', filter, step, build.accumulator()),
    result: build.accumulator(),
  });
}

const insert = (build: ExprBuilder, variables: readonly string[], value: Expr): Expr =>
  build.call('cel.@mapInsert', build.accumulator(), build.ident(variables[0] ?? ''), value);

const has: Macro = {
  name: 'has',
  isMember: false,
  argCount: 1,
  expand: (build, target, [arg], report) => {
    if (arg?.kind === 'select' && !arg.testOnly) return build.select(arg.operand, arg.field, true);
    if (arg !== undefined) report(arg, 'invalid argument to has() macro');
    return target;
  },
};

export const standardMacros: readonly Macro[] = [
  has,
  foldMacro('all', 1, 1, expandAll),
  foldMacro('exists', 1, 1, expandExists),
  foldMacro('exists_one', 1, 1, expandExistsOne),
  foldMacro('existsOne', 1, 1, expandExistsOne),
  foldMacro(
    'map',
    1,
    1,
    (build, range, variables, [value]) => collect(build, range, variables, build.list([]), append(build, value)),
    'argument is not an identifier',
  ),
  foldMacro(
    'map',
    1,
    2,
    (build, range, variables, [filter, value]) => collect(build, range, variables, build.list([]), append(build, value), filter),
    'argument is not an identifier',
  ),
  foldMacro(
    'filter',
    1,
    1,
    (build, range, variables, [filter]) =>
      collect(build, range, variables, build.list([]), append(build, build.ident(variables[0] ?? '')), filter),
    'argument is not an identifier',
  ),
];

export const twoVariableMacros: readonly Macro[] = [
  foldMacro('all', 2, 1, expandAll),
  foldMacro('exists', 2, 1, expandExists),
  foldMacro('exists_one', 2, 1, expandExistsOne),
  foldMacro('existsOne', 2, 1, expandExistsOne),
  foldMacro('transformList', 2, 1, (build, range, variables, [value]) =>
    collect(build, range, variables, build.list([]), append(build, value)),
  ),
  foldMacro('transformList', 2, 2, (build, range, variables, [filter, value]) =>
    collect(build, range, variables, build.list([]), append(build, value), filter),
  ),
  foldMacro('transformMap', 2, 1, (build, range, variables, [value]) =>
    collect(build, range, variables, build.map([]), insert(build, variables, value)),
  ),
  foldMacro('transformMap', 2, 2, (build, range, variables, [filter, value]) =>
    collect(build, range, variables, build.map([]), insert(build, variables, value), filter),
  ),
  foldMacro('transformMapEntry', 2, 1, (build, range, variables, [entry]) =>
    collect(build, range, variables, build.map([]), build.call('cel.@mapInsert', build.accumulator(), entry)),
  ),
  foldMacro('transformMapEntry', 2, 2, (build, range, variables, [filter, entry]) =>
    collect(build, range, variables, build.map([]), build.call('cel.@mapInsert', build.accumulator(), entry), filter),
  ),
];

/** A name for the value of `initial` within `result`: a fold over nothing. */
function bind(build: ExprBuilder, name: string, initial: Expr, result: Expr): Expr {
  return build.fold({
    variable: '#unused',
    range: build.list([]),
    accumulator: name,
    initial,
    condition: build.literal(false),
    step: build.ident(name),
    result,
  });
}

const optionalMap = (name: string, wrap: (build: ExprBuilder, value: Expr) => Expr): Macro =>
  foldMacro(name, 1, 1, (build, target, [variable = ''], [value]) =>
    build.call(
      '_?_:_',
      build.memberCall('hasValue', target),
      wrap(build, bind(build, variable, build.memberCall('value', target), value)),
      build.call('optional.none'),
    ),
  );

export const optionalMacros: readonly Macro[] = [
  optionalMap('optMap', (build, value) => build.call('optional.of', value)),
  optionalMap('optFlatMap', (_build, value) => value),
];

/** `cel.bind(name, value, expression)`. */
export const bindingMacros: readonly Macro[] = [
  {
    name: 'bind',
    isMember: true,
    argCount: 3,
    expand: (build, target, args, report) => {
      if (target.kind !== 'ident' || target.name !== 'cel') return undefined;
      const [name, initial, result] = args;
      if (name?.kind !== 'ident') {
        if (name !== undefined) report(name, 'cel.bind() variable names must be simple identifiers');
        return target;
      }
      return initial === undefined || result === undefined ? target : bind(build, name.name, initial, result);
    },
  },
];
