import { columnTextsText } from '../schema/generated/column-texts.ts';
import type { KubeObject } from '../meta/object.ts';
import type { ResourceDefinition } from './resource-definition.ts';

let texts: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> | undefined;

/** The API's description of a column of a built-in kind, by the column's name. */
export function findColumnText<T extends KubeObject>(
  { group, version, names }: Pick<ResourceDefinition<T>, 'group' | 'version' | 'names'>,
  column: string,
): string | undefined {
  texts ??= JSON.parse(columnTextsText) as NonNullable<typeof texts>;
  const resource = group === '' ? `${version}/${names.plural}` : `${group}/${version}/${names.plural}`;
  return texts[resource]?.[column] ?? texts['*']?.[column];
}
