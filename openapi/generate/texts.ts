import { existsSync, readFileSync } from 'node:fs';
import type { Facts, FoundDefinition } from './facts.ts';

/** Documentation of one definition: its own text and those of its fields. */
interface DefinitionText {
  readonly description?: string;
  readonly fields: ReadonlyMap<string, string>;
}

export interface Texts {
  find(fullName: string): DefinitionText | undefined;
}

const modelsFolder = new URL('gen/models/', import.meta.resolve('@kubernetes/client-node'));

/** client-node prefixes a model with its group where the same kind exists in several: CoreV1Event, EventsV1Event. */
function modelNames(definition: FoundDefinition): string[] {
  const [group = '', version = ''] = definition.file.split('-');
  const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const name = capital(definition.shortName);
  return [`${capital(group)}${capital(version)}${name}`, `${capital(version)}${name}`, `Version${name}`];
}

/** Undoes the escaping that the documentation went through on its way into a declaration file. */
export function unescapeText(text: string): string {
  return text
    .replaceAll(/\\(["'\\])/g, '$1')
    .replaceAll('_/', '*/')
    .replaceAll('/_*', '/*')
    .replaceAll('*_/', '*/')
    .trim();
}

function parseModel(source: string): DefinitionText {
  const classAt = source.indexOf('export declare class');
  const own = /\/\*\*\s*\n\* ?((?:(?!\*\/)[\s\S])*?)\s*\n?\*\/\s*export declare class/.exec(source)?.[1];
  const fields = new Map<string, string>();
  for (const match of source.slice(classAt).matchAll(/\/\*\*\s*\n\s*\* ?((?:(?!\*\/)[\s\S])*?)\s*\n\s*\*\/\s*\n\s*'([^']+)'\??:/g)) {
    if (match[1] !== undefined && match[2] !== undefined) fields.set(jsonName(match[2]), unescapeText(match[1]));
  }
  return { ...(own === undefined ? {} : { description: unescapeText(own) }), fields };
}

/** JSON name of a property: reserved words and dashes have been rewritten in the model. */
function jsonName(property: string): string {
  return property
    .replace(/^_/, '')
    .replace(/^x_kubernetes_/, 'x-kubernetes-')
    .replaceAll(/(?<=^x-kubernetes-.*)_/g, '-');
}

function propertiesOf(source: string): Set<string> {
  return new Set(Array.from(source.matchAll(/^ {4}'([^']+)'\??:/gm), (match) => jsonName(match[1] ?? '')));
}

/** Values that are no structs have no model in the package. */
const ownTexts: Readonly<Record<string, string>> = {
  'date-time': 'A point in time, written as RFC 3339 in UTC with whole seconds. An unset time is written as null.',
  'micro-time': 'A point in time, written as RFC 3339 in UTC with microseconds.',
  duration: 'A length of time such as 1h30m.',
  quantity:
    'An exact number with an optional suffix: decimal (n, u, m, k, M, G, T, P, E), binary (Ki, Mi, Gi, Ti, Pi, Ei) or a decimal exponent such as e3. It is kept to at most nine decimal places and brought into a canonical form.',
  'int-or-string': 'An integer, or a text such as the name of a port or a percentage.',
  'fields-v1':
    'A set of fields as a tree: keys are `f:<name>` for a field, `k:<keys>` for a list item by its keys, `v:<value>` for an item by its value, `i:<index>` for one by its position, and `.` for the node itself.',
  'raw-extension': 'Any JSON object, kept as it is.',
  json: 'Any JSON value.',
  'json-schema-or-array': 'A JSON schema or a list of JSON schemas.',
  'json-schema-or-bool': 'A JSON schema or a boolean.',
  'json-schema-or-string-array': 'A JSON schema or a list of strings.',
};

/** Reads the documentation texts of the definitions from the installed @kubernetes/client-node package. */
export function loadTexts(facts: Facts): Texts {
  const texts = new Map<string, DefinitionText>();
  for (const definition of facts.definitions.values()) {
    const own = definition.fact.format === undefined ? undefined : ownTexts[definition.fact.format];
    if (own !== undefined) {
      texts.set(definition.fullName, { description: own, fields: new Map() });
      continue;
    }
    for (const name of modelNames(definition)) {
      const url = new URL(`${name}.d.ts`, modelsFolder);
      if (!existsSync(url)) continue;
      const source = readFileSync(url, 'utf8');
      const properties = propertiesOf(source);
      // Models of older releases lie in the package too: only one that has our fields is the right one.
      const missing = Object.keys(definition.fact.fields ?? {}).filter(
        (field) => !properties.has(field) && /^[a-z]/.test(field) && field !== 'continue',
      );
      if (missing.length > 1) continue;
      texts.set(definition.fullName, parseModel(source));
      break;
    }
  }
  return { find: (fullName) => texts.get(fullName) };
}
