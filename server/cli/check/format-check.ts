import { stripVTControlCharacters, styleText } from 'node:util';
import { benchmarkVersion, sectionOf, sectionTitles } from './benchmark.ts';
import { type CheckedItem, type CheckResult, checkResults } from './check-item.ts';

const colours = { PASS: 'green', FAIL: 'red', WARN: 'yellow', MANUAL: 'cyan', 'NOT APPLICABLE': 'dim' } as const;
const short: Readonly<Record<CheckResult, string>> = {
  PASS: 'PASS',
  FAIL: 'FAIL',
  WARN: 'WARN',
  MANUAL: 'MANUAL',
  'NOT APPLICABLE': 'N/A',
};

type Totals = Readonly<Record<CheckResult, number>> & { readonly notJudged: number };

export function countResults(items: readonly CheckedItem[]): Totals {
  const count = (result: CheckResult) => items.filter((item) => item.result === result).length;
  return {
    ...(Object.fromEntries(checkResults.map((result) => [result, count(result)])) as Readonly<Record<CheckResult, number>>),
    notJudged: items.filter(({ isJudged }) => isJudged === false).length,
  };
}

/** Formats the controls for a person: each with its result, the remedies of those that are not in effect, and the counts. */
export function formatCheck(items: readonly CheckedItem[], problems: readonly string[], stream: NodeJS.WriteStream): string {
  const paint = (result: CheckResult) => styleText(colours[result], `[${short[result]}]`.padEnd(9), { stream });
  const lines: string[] = [];
  for (const [section, group] of Map.groupBy(items, ({ id }) => sectionOf(id))) {
    lines.push(styleText('bold', `${section} ${sectionTitles[section] ?? ''}`, { stream }));
    for (const { id, title, result, why, evidence = [] } of group) {
      lines.push(`${paint(result)}${id.padEnd(8)}${title}`, `${' '.repeat(17)}${oneLine(why)}`);
      if (result !== 'PASS') lines.push(...evidence.map((text) => `${' '.repeat(19)}${oneLine(text)}`));
    }
    lines.push('');
  }
  const advised = items.filter(({ result, advice }) => advice !== undefined && (result === 'FAIL' || result === 'WARN'));
  if (advised.length > 0) {
    lines.push(styleText('bold', 'What to do', { stream }));
    lines.push(...advised.map(({ id, advice = '' }) => `${id.padEnd(8)}${oneLine(advice)}`), '');
  }
  if (problems.length > 0) lines.push(styleText('bold', 'What could not be looked at', { stream }), ...problems.map(oneLine), '');
  return `${[...lines, ...formatTotals(countResults(items))].join('\n')}\n`;
}

function formatTotals(totals: Totals): string[] {
  return [
    `${totals.PASS} checks PASS`,
    `${totals.FAIL} checks FAIL`,
    `${totals.WARN} checks WARN${totals.notJudged > 0 ? `, ${totals.notJudged} of them because they could not be judged` : ''}`,
    `${totals.MANUAL} checks MANUAL`,
    `${totals['NOT APPLICABLE']} checks NOT APPLICABLE`,
  ];
}

/** The results as a document for programs (`-o json`). */
export function checkDocument(items: readonly CheckedItem[], problems: readonly string[], dataDirectory: string): object {
  const { notJudged, ...totals } = countResults(items);
  return {
    ...{ benchmark: benchmarkVersion, dataDirectory, totals: { ...totals, notJudged }, problems },
    checks: items.map(({ isJudged, ...item }) => ({ section: sectionOf(item.id), ...item, judged: isJudged !== false })),
  };
}

/** Names and answers of others are in it: none of their control characters reaches the terminal. */
function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ');
}
