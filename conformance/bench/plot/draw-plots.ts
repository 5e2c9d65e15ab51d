import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { metrics, type Results } from '../measurement.ts';
import { rowsOf } from '../report.ts';
import { drawBarChart, type Palette } from './bar-chart.ts';
import { drawRatioChart } from './ratio-chart.ts';

/** The base is grey; the others can be told apart by those who see no red or no green, too. */
const colors = ['#9aa1a9', '#0b6bcb', '#e8871e', '#2f9e6e', '#a03fb5', '#c2410c'];

const overview: ReadonlySet<string> = new Set(
  [metrics.perSecond, metrics.serverCPU, metrics.eventsPerSecond, metrics.syncSeconds, metrics.readyMs, metrics.residentMiB].map(
    ({ metric }) => metric,
  ),
);

/** Writes one SVG for each metric, and `ratios.svg` over all if there is something to compare. Returns the names of the files. */
export function drawPlots(results: Results, directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const { targets } = results;
  const palette: Palette = { targets, colorOf: (target) => colors[targets.indexOf(target) % colors.length] ?? '#000000' };
  const rows = rowsOf(results);
  const files = new Map<string, string>();
  if (targets.length > 1)
    files.set(
      'ratios.svg',
      drawRatioChart(
        rows.filter(({ metric }) => overview.has(metric)),
        palette,
      ),
    );
  for (const [metric, group] of Map.groupBy(rows, (row) => row.metric)) files.set(`${nameOf(metric)}.svg`, drawBarChart(group, palette));
  for (const [name, svg] of files) writeFileSync(path.join(directory, name), svg);
  return [...files.keys()];
}

const nameOf = (metric: string): string =>
  metric
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
