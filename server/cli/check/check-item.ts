import type { CheckFacts } from './check-facts.ts';

/**
 * PASS: the control is in effect. FAIL: it is not. WARN: it is not, and whether it should be depends on the use of the
 * cluster; or it could not be judged. MANUAL: only a person can decide. NOT APPLICABLE: kubets has no such part.
 */
export const checkResults = ['PASS', 'FAIL', 'WARN', 'MANUAL', 'NOT APPLICABLE'] as const;
export type CheckResult = (typeof checkResults)[number];

export interface Verdict {
  readonly result: CheckResult;
  /** The reason for the result, or for the control not applying to kubets. */
  readonly why: string;
  /** Files with their modes, answers, objects. */
  readonly evidence?: readonly string[];
  readonly advice?: string;
  /** Absent: true. False if the facts for the control could not be gathered. */
  readonly isJudged?: false;
}

/** One control of the CIS Kubernetes Benchmark v1.12. */
export interface CheckItem {
  /** The number that the benchmark gives it. */
  readonly id: string;
  readonly title: string;
  judge(facts: CheckFacts): Verdict;
}

export interface CheckedItem extends Verdict {
  readonly id: string;
  readonly title: string;
}

type More = Omit<Verdict, 'result' | 'why'>;

export const pass = (why: string, more: More = {}): Verdict => ({ result: 'PASS', why, ...more });
export const fail = (why: string, advice: string, more: More = {}): Verdict => ({ result: 'FAIL', why, advice, ...more });
export const warn = (why: string, advice: string, more: More = {}): Verdict => ({ result: 'WARN', why, advice, ...more });
export const manual = (why: string, advice: string, more: More = {}): Verdict => ({ result: 'MANUAL', why, advice, ...more });
export const notApplicable = (why: string): Verdict => ({ result: 'NOT APPLICABLE', why });
export const notJudged = (why: string, advice: string): Verdict => ({
  ...{ result: 'WARN', why: `could not be judged: ${why}`, advice, isJudged: false },
});

/** Compares ids such as 1.2.10, which comes after 1.2.9. */
export function compareIds(a: string, b: string): number {
  const [left, right] = [a, b].map((id) => id.split('.').map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export interface Selection {
  /** Sections, or single controls: `1`, `1.2`, `5.1.3`. Empty: all. */
  readonly sections: readonly string[];
  /** The part of the benchmark on which machine: 'node' is section 4, 'server' all others. Absent: both. */
  readonly only?: 'node' | 'server';
}

export function isSelected({ id }: Pick<CheckItem, 'id'>, { sections, only }: Selection): boolean {
  const isOfNode = id.startsWith('4.');
  if (only !== undefined && isOfNode !== (only === 'node')) return false;
  return sections.length === 0 || sections.some((section) => id === section || id.startsWith(`${section}.`));
}
