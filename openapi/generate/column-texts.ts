import type { ColumnTextFacts, Facts } from './facts.ts';
import type { Texts } from './texts.ts';

/** The descriptions of Table columns with the texts that they refer to in place. Throws where a reference leads nowhere. */
export function columnTexts({ columnTexts: facts }: Pick<Facts, 'columnTexts'>, texts: Texts): ColumnTextFacts {
  const resolve = (text: string): string => {
    const [, definition, field] = /^(io\.k8s\.[\w.]+)#(\w+)$/.exec(text) ?? [];
    if (definition === undefined || field === undefined) return text;
    const found = texts.find(definition)?.fields.get(field);
    if (found === undefined) throw new Error(`openapi/facts/table-columns.json: no text of ${text}`);
    return found;
  };
  return Object.fromEntries(
    Object.entries(facts).map(([resource, columns]) => [
      resource,
      Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, resolve(text)])),
    ]),
  );
}
