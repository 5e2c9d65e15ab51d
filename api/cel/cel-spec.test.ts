import assert from 'node:assert/strict';
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { compileExpr } from './run/compile.ts';
import { checkExpr } from './check/check.ts';
import { type Evaluation, evaluateCompiled } from './compile-cel.ts';
import { Environment } from './environment.ts';
import { equalValues } from './run/equality.ts';
import { formatIssues } from './syntax/issues.ts';
import { kubernetesLibraries } from './kubernetes-environment.ts';
import { bindingsLibrary } from './libraries/lists.ts';
import { parseExpression } from './syntax/parser.ts';
import {
  allTests,
  isRecord,
  listAt,
  NotSupported,
  recordAt,
  type SpecSuite,
  type SpecTest,
  specType,
  specValue,
} from './testing/spec-cases.ts';
import { dynType, formatType } from './types/types.ts';
import { type CELValue, describe as show } from './types/values.ts';
import type { Library } from './declarations.ts';

/** Why a case is not run, by what its expression or its suite has. Nothing else is left out. */
const skipped: readonly (readonly [string, (suite: string, test: SpecTest) => boolean])[] = [
  [
    'messages of Protocol Buffers, which Kubernetes has none of',
    (suite, { original }) =>
      /^(proto2|proto2_ext|proto3|enums|wrappers|dynamic)$/.test(suite) ||
      /TestAllTypes|google\.protobuf\.(?!Duration\b(?!\{)|Timestamp\b(?!\{))|proto\./.test(JSON.stringify(original)),
  ],
  ['libraries Kubernetes has not: math, encoders, cel.block', (suite) => /^(math_ext|encoders_ext|block_ext)$/.test(suite)],
  [
    'functions of strings newer than the version Kubernetes has',
    (suite, { original }) => suite === 'string_ext' && /reverse\(/.test(original.expr),
  ],
  [
    'an error for a key given twice, which cel-go does not raise',
    (_suite, { original }) => original.expr === '{true:1,false:2,true:3}[true]' || original.expr === '{0: 1, 0u: 2}[0.0]',
  ],
  [
    'functions that a test declares for itself',
    (_suite, { original }) => listAt(original, 'typeEnv').some((declared) => isRecord(declared) && 'function' in declared),
  ],
  [
    'an error, in place of none, for a field of what has no fields: an option Kubernetes does not set',
    (suite, { original }) =>
      suite === 'optionals' && isRecord(original.evalError) && /invalid\.hasValue|absent\.hasValue/.test(original.expr),
  ],
];

const libraries: readonly Library[] = [...kubernetesLibraries, bindingsLibrary];

function environmentOf({ original }: SpecTest): Environment {
  const variables = listAt(original, 'typeEnv').flatMap((declaration) =>
    isRecord(declaration) && isRecord(declaration.ident)
      ? [[String(declaration.name), specType(recordAt(declaration.ident, 'type'))] as const]
      : [],
  );
  const bound = Object.keys(recordAt(original, 'bindings')).map((name) => [name, dynType] as const);
  return new Environment({
    libraries,
    variables: Object.fromEntries([...bound, ...variables]),
    container: typeof original.container === 'string' ? original.container : '',
    escapedIdentifiers: true,
  });
}

function run(test: SpecTest): { readonly result: Evaluation | string; readonly type?: string } {
  const { original } = test;
  const environment = environmentOf(test);
  const parsed = parseExpression(original.expr, environment.parseOptions);
  if ('issues' in parsed) return { result: formatIssues(original.expr, parsed.issues) };
  const checked = original.disableCheck === true ? undefined : checkExpr(parsed.expr, environment);
  if (checked !== undefined && 'issues' in checked) return { result: formatIssues(original.expr, checked.issues) };
  const activation = Object.fromEntries(
    Object.entries(recordAt(original, 'bindings')).map(([name, binding]) => [name, specValue(recordAt(binding, 'value'))]),
  );
  const compiled = compileExpr(parsed.expr, environment, checked?.checked);
  const type = checked === undefined ? {} : { type: formatType(checked.checked.type) };
  return { result: evaluateCompiled(compiled, activation), ...type };
}

/** The difference between a case's outcome and its expectation; undefined: there is none. */
function problemOf(test: SpecTest): string | undefined {
  const { original } = test;
  const { result, type } = run(test);
  const typed = recordAt(original, 'typedResult');
  const wanted = isRecord(typed.deducedType) ? specType(typed.deducedType) : undefined;
  if (wanted !== undefined && type !== undefined && type !== formatType(wanted)) return `type ${type}, not ${formatType(wanted)}`;
  if (original.checkOnly === true) return typeof result === 'string' ? result : undefined;
  if (isRecord(original.evalError)) return typeof result !== 'string' && result.ok ? 'no error' : undefined;
  if (typeof result === 'string') return result;
  if (!result.ok) return result.error;
  const value: CELValue = isRecord(typed.result) ? specValue(typed.result) : isRecord(original.value) ? specValue(original.value) : true;
  return isSame(result.value, value) ? undefined : `${show(result.value)} and not ${show(value)}`;
}

/** Equal, and of the same type; not a number is itself. */
function isSame(a: CELValue, b: CELValue): boolean {
  if (typeof a === 'number' && Number.isNaN(a)) return typeof b === 'number' && Number.isNaN(b);
  return typeof a === typeof b && equalValues(a, b);
}

describe('CEL: the conformance tests of cel-spec', () => {
  const suites: readonly SpecSuite[] = conformance.suites ?? [];
  for (const suite of suites) {
    const tests = allTests(suite);
    const chosen = tests.filter((test) => !skipped.some(([, matches]) => matches(suite.name, test)));
    if (chosen.length === 0) continue;
    it(`${suite.name}: ${chosen.length} of ${tests.length}`, () => {
      const wrong: string[] = [];
      for (const test of chosen) {
        try {
          const problem = problemOf(test);
          if (problem !== undefined) wrong.push(`${test.original.expr}: ${problem}`);
        } catch (error) {
          if (!(error instanceof NotSupported)) throw error;
          wrong.push(`${test.original.expr}: needs ${error.message}`);
        }
      }
      assert.equal(wrong.length, 0, `${wrong.length} of ${chosen.length}:\n${wrong.slice(0, 50).join('\n')}`);
    });
  }
});
