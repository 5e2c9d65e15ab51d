import type { ConformanceContext } from './conformance-context.ts';

/** One behaviour that a conformant cluster shows, tested through the API alone so that it can be run against any cluster. */
export interface ConformanceTest {
  /** Upstream's name of the test, word for word: results can be compared line by line. */
  readonly name: string;
  /** The Kubernetes release in which the behaviour became part of conformance. */
  readonly release: string;
  /** Behaviour that the cluster MUST show. */
  readonly behavior: string;
  /** True if Pods have to run: such a test is skipped, by name, on a cluster without a ready Node. */
  readonly needsNode?: boolean;
  /** True if kubectl has to be at hand. */
  readonly needsKubectl?: boolean;
  /** How long the test may take; 120 if absent. */
  readonly timeoutSeconds?: number;
  run(context: ConformanceContext): Promise<void>;
}

/** Declares a test; its file exports it as default and stands in suite.ts. */
export function conformanceTest(test: ConformanceTest): ConformanceTest {
  return test;
}

/** Whether the test must not run beside others, as upstream marks it in the name. */
export function isSerial(test: ConformanceTest): boolean {
  return test.name.includes('[Serial]');
}
