/** The part of SVG that charts need: shapes and text as strings. */

interface TextStyle {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly isBold?: boolean;
  /** Degrees, around the text's own place. */
  readonly rotate?: number;
}

export const ink = '#1f2328';
export const faint = '#656d76';
const font = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';

const round = (value: number): string => String(Math.round(value * 100) / 100);

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function text(x: number, y: number, content: string, { size = 12, anchor = 'start', fill = ink, isBold, rotate }: TextStyle = {}) {
  const turned = rotate === undefined ? '' : ` transform="rotate(${rotate} ${round(x)} ${round(y)})"`;
  const weight = isBold === true ? ' font-weight="600"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" fill="${fill}"${weight}${turned}>${escapeText(content)}</text>`;
}

/** `hint` is shown when the pointer rests on it. */
export function rectangle(x: number, y: number, width: number, height: number, fill: string, hint?: string): string {
  const shape = `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"`;
  return hint === undefined ? `${shape}/>` : `${shape}><title>${escapeText(hint)}</title></rect>`;
}

export function circle(x: number, y: number, radius: number, fill: string, hint: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${fill}" fill-opacity="0.75"><title>${escapeText(hint)}</title></circle>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, width = 1): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;
}

/** On a white ground, so that it can be read wherever it is shown. */
export function picture(width: number, height: number, shapes: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" font-family="${font}">`,
    rectangle(0, 0, Math.ceil(width), Math.ceil(height), '#ffffff'),
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}
