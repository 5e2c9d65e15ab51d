import assert from 'node:assert/strict';
import { tests as checking } from '@bufbuild/cel-spec/testdata/checking.js';
import { tests as comprehensions } from '@bufbuild/cel-spec/testdata/comprehension.js';
import { tests as parsing } from '@bufbuild/cel-spec/testdata/parsing.js';
import { checkExpr } from '../check/check.ts';
import { compileExpr } from '../run/compile.ts';
import { evaluateCompiled } from '../compile-cel.ts';
import { Environment } from '../environment.ts';
import { formatIssues } from './issues.ts';
import { kubernetesLibraries } from '../kubernetes-environment.ts';
import { bindingsLibrary } from '../libraries/lists.ts';
import { parseExpression } from './parser.ts';
import { standardLibrary } from '../libraries/standard/standard-library.ts';
import { checkedDebugString, debugString } from '../testing/debug-string.ts';
import { allTests, type SpecTest } from '../testing/spec-cases.ts';
import { boolType, bytesType, doubleType, intType, nullType, stringType, uintType } from '../types/types.ts';

const environment = new Environment({
  libraries: [standardLibrary],
  variables: { is: stringType, ii: intType, iu: uintType, iz: boolType, ib: bytesType, id: doubleType, ix: nullType },
});

/** The first mistake and, of syntax, only what it is about: the parser here stops there, ANTLR tries to go on. */
function firstOf(message: string | undefined): string | undefined {
  if (message === undefined || !/Syntax error|unsupported syntax/.test(message)) return message;
  return message.split('\nERROR')[0];
}

interface Outcome {
  readonly ast?: string;
  readonly checkedAst?: string;
  readonly error?: string;
}

function outcomeOf(expr: string): Outcome {
  const parsed = parseExpression(expr, environment.parseOptions);
  if ('issues' in parsed) return { error: formatIssues(expr, parsed.issues) };
  const ast = debugString(parsed.expr);
  const result = checkExpr(parsed.expr, environment);
  return 'issues' in result ? { ast, error: formatIssues(expr, result.issues) } : { ast, checkedAst: checkedDebugString(result.checked) };
}

/** Why a case is not compared. */
const skipped: readonly (readonly [string, (test: SpecTest) => boolean])[] = [
  ['a lower limit of recursion, or of recovery, than Kubernetes has', ({ error = '' }) => /limit exceeded|recursion depth/.test(error)],
  ['ANTLR words a token its own lexer cannot begin', ({ original }) => /\\xFh|Illegal escape|^--$|😁|x\{\?\.|`\$b`/.test(original.expr)],
  [
    'variables, functions and messages that cel-go declares in its test',
    ({ original, error }) => {
      const { error: ours = '' } = outcomeOf(original.expr);
      return /undeclared reference|no matching overload/.test(ours) && ours !== error;
    },
  ],
  ['existsOne, which that environment has not', ({ original }) => original.expr.includes('existsOne')],
];

function compare(name: string, tests: readonly SpecTest[]): void {
  const chosen = tests.filter((test) => !skipped.some(([, matches]) => matches(test)));
  it(`${name}: ${chosen.length} of ${tests.length}`, () => {
    const wrong = chosen.flatMap(({ original, ast, checkedAst, error }) => {
      const ours = outcomeOf(original.expr);
      const upstream = error?.replaceAll('ERROR: :', 'ERROR: <input>:');
      const problems = [
        ...(ast !== undefined && ours.ast !== undefined && ours.ast !== ast ? [`tree\n${ours.ast}\nand not\n${ast}`] : []),
        ...(checkedAst !== undefined && ours.checkedAst !== checkedAst ? [`checked\n${ours.checkedAst}\nand not\n${checkedAst}`] : []),
        ...(firstOf(ours.error) === firstOf(upstream) ? [] : [`error\n${ours.error}\nand not\n${upstream}`]),
      ];
      return problems.map((problem) => `${original.expr}: ${problem}`);
    });
    assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'));
  });
}

describe('CEL: trees, types and messages as cel-go has them', () => {
  compare('parsing', allTests(parsing));
  compare('checking', allTests(checking));

  const macros = allTests(comprehensions);
  it(`comprehensions: ${macros.length} parse as cel-go does`, () => {
    const wrong = macros.filter(({ original, ast }) => ast !== undefined && outcomeOf(original.expr).ast !== ast);
    assert.deepEqual(
      wrong.map(({ original }) => original.expr),
      [],
    );
  });

  it('comprehensions with two variables are true, but for those that are to be refused', () => {
    const full = new Environment({ libraries: [...kubernetesLibraries, bindingsLibrary] });
    const results = macros.map(({ original: { expr } }) => {
      const parsed = parseExpression(expr, full.parseOptions);
      if ('issues' in parsed) return 'refused';
      const checked = checkExpr(parsed.expr, full);
      if ('issues' in checked) return 'refused';
      const result = evaluateCompiled(compileExpr(parsed.expr, full, checked.checked), {});
      return result.ok ? result.value : result.error.replace(/ key .*/, '');
    });
    const count = (wanted: unknown) => results.filter((result) => result === wanted).length;
    assert.equal(count(false), 0);
    // Refused: names that are none, ranges that are none, mixed branches; and what needs variables of cel-go's test or strings.reverse().
    assert.deepEqual([count(true), count('insert failed:'), count('refused')], [48, 3, 40]);
  });
});
