import { formatJSON } from '../base/format-json.ts';
import { formatYAML } from './yaml.ts';

/** The notations of a list for people: each item is formatted as a text. */
export type ItemNotation = 'yaml' | 'json' | 'pretty';

/** An item in the form in which a list of that notation shows it. */
export function formatListItem(item: unknown, notation: ItemNotation): string {
  switch (notation) {
    case 'yaml':
      return formatYAML([item]);
    case 'json':
      return formatJSON(item);
    case 'pretty':
      return `    ${formatJSON(item, 2).replaceAll('\n', '\n    ')}`;
  }
}
