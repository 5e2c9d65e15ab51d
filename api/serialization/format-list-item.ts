import { formatJSON } from '../base/format-json.ts';
import { formatYAML } from './yaml.ts';

/** The notations of a list that are written for people: each item is a text of its own. */
export type ItemNotation = 'yaml' | 'json' | 'pretty';

/** An item as it stands in a list of that notation. */
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
