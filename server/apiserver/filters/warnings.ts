import type { Filter } from '../request/request-context.ts';

/** Texts longer than this together are cut, and then left out, as upstream does to keep heads small. */
const maxTotalLength = 4096;
const maxTextLength = 256;

/** Puts the warnings that were collected on the way into the head of the answer (RFC 9111 5.5, KEP-1693). */
export const warningHeaders: Filter = (next) => async (context) => {
  const response = await next(context);
  if (context.warnings.length === 0) return response;
  const formatted = formatWarnings(context.warnings);
  const existing = response.headers['warning'];
  return { ...response, headers: { ...response.headers, warning: existing === undefined ? formatted : `${existing}, ${formatted}` } };
};

export function formatWarnings(texts: readonly string[]): string {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const shortened = total <= maxTotalLength ? texts : texts.map((text) => text.slice(0, maxTextLength));
  const values: string[] = [];
  let length = 0;
  for (const text of shortened) {
    length += text.length;
    if (length > maxTotalLength) break;
    values.push(`299 - "${text.replace(/[\r\n]+/g, ' ').replace(/[\\"]/g, '\\$&')}"`);
  }
  return values.join(', ');
}
