import type { CheckContext, CheckTopic, MachineCheck } from './checks/check.ts';
import { orAborted } from './or-aborted.ts';
import { type CheckResult, formatResult } from './report.ts';

/** The checks that a pattern selects, with those that the others need. */
export function selectChecks(topics: readonly CheckTopic[], only: RegExp | undefined): CheckTopic[] {
  const isSelected = (topic: string, { name, isAlwaysRun = false }: MachineCheck): boolean =>
    only === undefined || isAlwaysRun || only.test(topic) || only.test(name);
  return topics
    .map((topic) => ({ ...topic, checks: topic.checks.filter((check) => isSelected(topic.topic, check)) }))
    .filter(({ checks }) => checks.length > 0);
}

/** Every check in the order in which it runs, with the preparation of its topic. */
export function listChecks(topics: readonly CheckTopic[]): { readonly topic: string; readonly check: MachineCheck }[] {
  return topics.flatMap(({ topic, prepare, checks }) => [...(prepare ? [prepare] : []), ...checks].map((check) => ({ topic, check })));
}

/** Runs checks one after the other and continues after a failure, unless the others need the failed one. */
export async function runChecks(topics: readonly CheckTopic[], context: CheckContext, signal: AbortSignal): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  let missing: string | undefined;
  for (const topic of topics) {
    let unprepared: string | undefined;
    for (const { check } of listChecks([topic])) {
      if (signal.aborted) missing = 'interrupted';
      const reason = missing ?? unprepared;
      const result = reason === undefined ? await runCheck(topic.topic, check, context, signal) : notRun(topic.topic, check, reason);
      results.push(result);
      if (result.outcome !== 'failed') continue;
      if (check === topic.prepare) unprepared = `because this failed: ${check.name}`;
      if (check.isFoundation === true) missing = `because this failed: ${check.name}`;
    }
  }
  return results;
}

function notRun(topic: string, { name }: MachineCheck, reason: string): CheckResult {
  return { topic, name, outcome: 'not run', detail: reason, seconds: 0 };
}

async function runCheck(topic: string, { name, run }: MachineCheck, context: CheckContext, signal: AbortSignal): Promise<CheckResult> {
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  context.say(`· ${topic}: ${name}`);
  let result: CheckResult;
  try {
    result = { topic, name, outcome: 'passed', detail: await orAborted(run(context), signal), seconds: seconds() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    result = { topic, name, outcome: 'failed', detail, seconds: seconds() };
  }
  context.say(formatResult(result));
  return result;
}
