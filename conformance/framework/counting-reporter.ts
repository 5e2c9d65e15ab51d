import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import Mocha, { type Runner } from 'mocha';

/** The counts of a mocha run; written as JSON to the file that KUBETS_TEST_COUNTS names. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The full titles of the tests that failed, with their errors. */
  readonly failures: readonly string[];
}

/** A line for each file's outermost suite, every failure in full as soon as it happens, and the counts in a file. */
export default class CountingReporter extends Mocha.reporters.Base {
  constructor(runner: Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures: string[] = [];
    let ofSuite = { passed: 0, failed: 0 };
    const isOutermost = (suite: Mocha.Suite) => suite.parent?.root === true;
    runner.on('suite', (suite) => {
      if (isOutermost(suite)) ofSuite = { passed: 0, failed: 0 };
    });
    runner.on('pass', (test) => {
      if (isTold(test.duration)) console.log(`  slow: ${test.fullTitle()} (${((test.duration ?? 0) / 1000).toFixed(1)} s)`);
      counts.passed++;
      ofSuite.passed++;
    });
    runner.on('pending', (test) => {
      counts.skipped++;
      console.log(`  - not run: ${test.fullTitle()}`);
    });
    runner.on('fail', (test, error: unknown) => {
      counts.failed++;
      ofSuite.failed++;
      const failure = `${test.fullTitle()}\n${describe(error).replaceAll(/^/gm, '      ')}`;
      failures.push(failure);
      console.log(`  ✗ ${failure}`);
    });
    runner.on('suite end', (suite) => {
      if (isOutermost(suite))
        console.log(`  ${ofSuite.failed === 0 ? '✓' : '✗'} ${suite.title} (${ofSuite.passed} passed, ${ofSuite.failed} failed)`);
    });
    runner.once('end', () => {
      const file = process.env['KUBETS_TEST_COUNTS'];
      if (file) writeFileSync(file, JSON.stringify({ ...counts, failures } satisfies TestCounts));
    });
  }
}

const slowMs = 5000;

/** Whether a test has taken so long that its time is printed. */
const isTold = (durationMs = 0) => durationMs >= slowMs;

function describe(error: unknown): string {
  return error instanceof Error ? inspect(error, { depth: 4 }) : String(error);
}
