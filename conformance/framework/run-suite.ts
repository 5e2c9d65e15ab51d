import { type ConformanceTest, isSerial } from './conformance-test.ts';
import { createTestContext, type SuiteCluster } from './test-context.ts';

export type TestOutcome =
  | { readonly kind: 'passed'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly seconds: number; readonly error: unknown }
  | { readonly kind: 'skipped'; readonly why: string };

interface SuiteOptions {
  readonly cluster: SuiteCluster;
  /** Whether the cluster has a ready Node. Without one, tests that need it are skipped by name. */
  readonly hasNode: boolean;
  /** How many tests run beside each other; those marked [Serial] always run alone. */
  readonly parallel: number;
  readonly report: (test: ConformanceTest, outcome: TestOutcome) => void;
}

/** Runs tests, those that may be together first, and reports each as it ends. */
export async function runSuite(tests: readonly ConformanceTest[], options: SuiteOptions): Promise<void> {
  const waiting = tests.filter((test) => !isSerial(test));
  const work = async () => {
    for (let test = waiting.shift(); test; test = waiting.shift()) options.report(test, await runTest(test, options));
  };
  await Promise.all(Array.from({ length: Math.max(1, options.parallel) }, work));
  for (const test of tests.filter(isSerial)) options.report(test, await runTest(test, options));
}

async function runTest(test: ConformanceTest, { cluster, hasNode }: SuiteOptions): Promise<TestOutcome> {
  if (test.needsNode && !hasNode) return { kind: 'skipped', why: 'the cluster has no ready Node' };
  if (test.needsKubectl && cluster.kubectl === undefined) return { kind: 'skipped', why: 'there is no kubectl' };
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const limitSeconds = test.timeoutSeconds ?? 120;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error(`the test took longer than ${limitSeconds} s`)), limitSeconds * 1000);
  const aborted = new Promise<never>((_resolve, reject) =>
    timeout.signal.addEventListener('abort', () => reject(timeout.signal.reason), { once: true }),
  );
  const failures: unknown[] = [];
  try {
    const { context, tearDown } = await createTestContext(cluster, timeout.signal);
    try {
      await Promise.race([test.run(context), aborted]);
    } catch (error) {
      failures.push(error);
    }
    await tearDown().catch((error: unknown) => failures.push(error));
  } catch (error) {
    failures.push(error);
  } finally {
    clearTimeout(timer);
  }
  if (failures.length === 0) return { kind: 'passed', seconds: seconds() };
  return { kind: 'failed', seconds: seconds(), error: failures.length === 1 ? failures[0] : new AggregateError(failures) };
}
