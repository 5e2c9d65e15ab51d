import { formatNumber, type Row } from '../report.ts';
import { ticksUpTo } from './scale.ts';
import { faint, ink, line, picture, rectangle, text } from './svg.ts';

export interface Palette {
  readonly targets: readonly string[];
  colorOf(target: string): string;
}

interface Group {
  readonly label: string;
  readonly row: Row;
}

interface Panel {
  readonly title: string;
  readonly groups: readonly Group[];
}

const grid = '#e6e8eb';
const margin = 24;
const headHeight = 76;
const plotHeight = 150;
const panelHeight = plotHeight + 78;
const axisWidth = 62;
const gapX = 28;
const groupGap = 12;
const minBarWidth = 12;
const maxBarWidth = 34;
const targetPlotWidth = 300;

/** One panel for each subject with a group of bars for each load; subjects without loads share one panel. */
function panelsOf(rows: readonly Row[]): Panel[] {
  if (rows.every(({ load }) => load === '')) return [{ title: '', groups: rows.map((row) => ({ label: row.subject, row })) }];
  return [...Map.groupBy(rows, ({ subject }) => subject)].map(([title, group]) => ({
    title,
    groups: group.map((row) => ({ label: row.load, row })),
  }));
}

/** Every number of one metric: bars by target, with their values on them. */
export function drawBarChart(rows: readonly Row[], { targets, colorOf }: Palette): string {
  const [first] = rows;
  const panels = panelsOf(rows);
  const mostGroups = Math.max(...panels.map(({ groups }) => groups.length));
  const isSingle = panels.length === 1;
  const wanted = (isSingle ? Math.max(720, mostGroups * 220) : targetPlotWidth) / mostGroups - groupGap;
  const barWidth = Math.min(isSingle ? 64 : maxBarWidth, Math.max(minBarWidth, wanted / targets.length));
  const plotWidth = mostGroups * (barWidth * targets.length + groupGap) + groupGap;
  const columns = isSingle ? 1 : Math.min(3, panels.length);
  const width = Math.max(560, 2 * margin + columns * (axisWidth + plotWidth) + (columns - 1) * gapX);
  const height = headHeight + Math.ceil(panels.length / columns) * panelHeight + margin;
  const shapes = [
    text(margin, 32, `${first?.metric ?? ''} [${first?.unit ?? ''}]`, { size: 18, isBold: true }),
    text(width - margin, 32, `${first?.better ?? ''} is better`, { size: 13, anchor: 'end', fill: faint }),
    ...drawLegend(margin, 56, targets, colorOf),
  ];
  panels.forEach((panel, index) => {
    const left = margin + axisWidth + (index % columns) * (axisWidth + plotWidth + gapX);
    const top = headHeight + Math.floor(index / columns) * panelHeight + 30;
    shapes.push(...drawPanel(panel, { left, top, plotWidth, barWidth }, { targets, colorOf }));
  });
  return picture(width, height, shapes);
}

export function drawLegend(x: number, y: number, targets: readonly string[], colorOf: (target: string) => string): string[] {
  let at = x;
  return targets.flatMap((target) => {
    const shapes = [rectangle(at, y - 10, 12, 12, colorOf(target)), text(at + 18, y, target, { size: 13 })];
    at += 18 + target.length * 7.6 + 22;
    return shapes;
  });
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly plotWidth: number;
  readonly barWidth: number;
}

function drawPanel({ title, groups }: Panel, { left, top, plotWidth, barWidth }: Place, { targets, colorOf }: Palette): string[] {
  const values = groups.flatMap(({ row }) => [...row.values.values()]);
  const ticks = ticksUpTo(Math.max(...values));
  const most = ticks.at(-1) ?? 1;
  const bottom = top + plotHeight;
  const yOf = (value: number) => bottom - (value / most) * plotHeight;
  const unit = groups[0]?.row.unit ?? '';
  const shapes = [
    text(left, top - 12, title, { size: 13, isBold: true }),
    ...ticks.flatMap((tick) => [
      line(left, yOf(tick), left + plotWidth, yOf(tick), grid),
      text(left - 6, yOf(tick) + 4, tick.toLocaleString('en-US'), { size: 11, anchor: 'end', fill: faint }),
    ]),
    text(left - axisWidth + 14, top + plotHeight / 2, unit, { size: 11, anchor: 'middle', fill: faint, rotate: -90 }),
  ];
  groups.forEach(({ label, row }, index) => {
    const start = left + groupGap + index * (barWidth * targets.length + groupGap);
    targets.forEach((target, position) => {
      const value = row.values.get(target);
      if (value === undefined) return;
      const x = start + position * barWidth;
      const hint = `${target}, ${row.subject} ${row.load}: ${formatNumber(value)} ${row.unit}`;
      shapes.push(rectangle(x, yOf(value), barWidth - 1.5, Math.max(0.75, bottom - yOf(value)), colorOf(target), hint));
      if (barWidth >= 28) shapes.push(text(x + barWidth / 2, yOf(value) - 4, formatNumber(value), { size: 11, anchor: 'middle' }));
    });
    shapes.push(...drawGroupLabel(label, start + (barWidth * targets.length) / 2, bottom));
  });
  return [...shapes, line(left, bottom, left + plotWidth, bottom, ink)];
}

/** Long labels, as of memory, in lines of their own. */
function drawGroupLabel(label: string, x: number, bottom: number): string[] {
  const lines = label.length > 24 ? label.split(/, /) : [label];
  return lines.map((part, index) => text(x, bottom + 17 + index * 14, part, { size: 11, anchor: 'middle' }));
}
