import { formatNumber, ratioOf, type Row } from '../report.ts';
import { drawLegend, type Palette } from './bar-chart.ts';
import { powersOfTwoAround } from './scale.ts';
import { circle, faint, ink, line, picture, text } from './svg.ts';

const margin = 24;
const headHeight = 96;
const rowHeight = 22;
const labelWidth = 400;
const plotWidth = 560;
const radius = 4.5;

/** A line per comparison: one dot for each target and load, on a scale on which twice and half are equally far from 1. */
export function drawRatioChart(rows: readonly Row[], { targets, colorOf }: Palette): string {
  const [base = '', ...others] = targets;
  const lines = [...Map.groupBy(rows, ({ metric, subject }) => `${subject}: ${metric}`)]
    .map(([label, group]) => ({
      label,
      dots: others.flatMap((target) =>
        group.flatMap((row) => {
          const ratio = ratioOf(row, target, base);
          return ratio === undefined ? [] : [{ target, load: row.load, ratio }];
        }),
      ),
    }))
    .filter(({ dots }) => dots.length > 0);
  const ticks = powersOfTwoAround(lines.flatMap(({ dots }) => dots.map(({ ratio }) => ratio)));
  const [low, high] = [Math.log2(ticks[0] ?? 0.5), Math.log2(ticks.at(-1) ?? 2)];
  const left = margin + labelWidth;
  const xOf = (ratio: number) => left + ((Math.log2(ratio) - low) / (high - low)) * plotWidth;
  const bottom = headHeight + lines.length * rowHeight;
  const width = left + plotWidth + margin + 12;
  const shapes = [
    text(margin, 32, `How many times better than ${base}`, { size: 18, isBold: true }),
    text(margin, 52, 'a dot for each protocol and number of connections; right of ×1 is better', { size: 13, fill: faint }),
    ...drawLegend(left, 76, others, colorOf),
    ...ticks.flatMap((tick) => [
      line(xOf(tick), headHeight - 6, xOf(tick), bottom, tick === 1 ? ink : '#e6e8eb', tick === 1 ? 1.5 : 1),
      text(xOf(tick), bottom + 18, `×${tick < 1 ? `1/${1 / tick}` : tick}`, { size: 12, anchor: 'middle' }),
    ]),
  ];
  lines.forEach(({ label, dots }, index) => {
    const y = headHeight + (index + 0.5) * rowHeight;
    shapes.push(text(left - 12, y + 4, label, { size: 12, anchor: 'end' }), line(left, y, left + plotWidth, y, '#f0f1f3'));
    for (const { target, load, ratio } of dots) {
      const offset = (others.indexOf(target) - (others.length - 1) / 2) * 5;
      shapes.push(circle(xOf(ratio), y + offset, radius, colorOf(target), `${target}, ${label} ${load}: ×${formatNumber(ratio)}`));
    }
  });
  return picture(width, bottom + 40, shapes);
}
