import { type Measurement, median, type Results } from './measurement.ts';

export interface Row {
  readonly subject: string;
  readonly load: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** By target: the median of its rounds. */
  readonly values: ReadonlyMap<string, number>;
}

/** The metrics that were measured of all targets, in the order in which it was first measured. */
export function rowsOf({ measurements }: Pick<Results, 'measurements'>): Row[] {
  const groups = Map.groupBy(measurements, ({ subject, load, metric }) => `${metric}\n${subject}\n${load}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { subject, load, metric, unit, better } = first;
    const byTarget = Map.groupBy(group, ({ target }) => target);
    const values = new Map([...byTarget].map(([target, list]) => [target, median(list.map(({ value }: Measurement) => value))]));
    return [{ subject, load, metric, unit, better, values }];
  });
}

/** How many times better than the base: above 1 is better, whichever way the metric counts. */
export function ratioOf({ better, values }: Pick<Row, 'better' | 'values'>, target: string, base: string): number | undefined {
  const [value, reference] = [values.get(target), values.get(base)];
  // A value that is too small to be counted is no number to compare with.
  if (value === undefined || reference === undefined || value === 0 || reference === 0) return undefined;
  return better === 'more' ? value / reference : reference / value;
}

export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude >= 100 ? value.toFixed(0) : magnitude >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function cellOf(row: Row, target: string, base: string): string {
  const value = row.values.get(target);
  if (value === undefined) return '–';
  const ratio = target === base ? undefined : ratioOf(row, target, base);
  return ratio === undefined ? formatNumber(value) : `${formatNumber(value)} (×${formatNumber(ratio)})`;
}

interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One table per metric; the others are compared with the first target. */
function tablesOf(results: Results): Table[] {
  const [base = ''] = results.targets;
  return [...Map.groupBy(rowsOf(results), ({ metric, unit }) => `${metric} [${unit}]`)].map(([title, rows]) => ({
    title: `${title}, ${rows[0]?.better} is better`,
    header: ['', ...results.targets],
    rows: rows.map((row) => [`${row.subject} ${row.load}`.trim(), ...results.targets.map((target) => cellOf(row, target, base))]),
  }));
}

/** Remarks; those that differ only in numbers are joined into one, with the least and the greatest of them. */
function remarksOf({ remarks }: Results): string[] {
  const groups = Map.groupBy(remarks, ({ target, text }) => `${target}: ${text.replaceAll(/\d+/g, '#')}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const abouts = [...new Set(group.map(({ about }) => about))];
    const rows = group.map(({ text }) => (text.match(/\d+/g) ?? []).map(Number));
    let position = 0;
    const text = first.text.replaceAll(/\d+/g, () => {
      const numbers = rows.map((row) => row[position] ?? Number.NaN);
      position++;
      const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
      return least === most ? String(least) : `${least} to ${most}`;
    });
    const shown = abouts.length > 3 ? `${abouts.length} measurements, from ${abouts[0]} to ${abouts.at(-1)}` : abouts.join('; ');
    return [`${first.target}: ${text} (${shown})`];
  });
}

const legend = (results: Results) => `×n: n times better than ${results.targets[0]}, so that above 1 is better in every table.`;

/** For a terminal. */
export function formatReport(results: Results): string {
  const lines: string[] = [];
  for (const { title, header, rows } of tablesOf(results)) {
    const all = [header, ...rows];
    const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    lines.push('', title);
    for (const row of all)
      lines.push(
        row
          .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
          .join('  ')
          .trimEnd(),
      );
  }
  return [...lines, '', legend(results), ...remarksOf(results).map((text) => `! ${text}`)].join('\n');
}

export function formatMarkdown(results: Results): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const tables = tablesOf(results).map(({ title, header, rows }) =>
    [`### ${title}`, '', row(header), row(header.map((_, column) => (column === 0 ? '---' : '--:'))), ...rows.map(row), ''].join('\n'),
  );
  const remarks = remarksOf(results);
  const remarkLines = remarks.length === 0 ? [] : ['### Remarks', '', ...remarks.map((text) => `- ${text}`), ''];
  return [`${results.machine}. ${legend(results)}`, '', ...tables, ...remarkLines].join('\n');
}
