import { existsSync, readFileSync } from 'node:fs';
import { type Facts, type FoundDefinition } from './facts.ts';

/** Documentation of one definition: its own text and those of its fields. */
export interface DefinitionText {
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
function unescape(text: string): string {
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
    if (match[1] !== undefined && match[2] !== undefined) fields.set(match[2], unescape(match[1]));
  }
  return { ...(own === undefined ? {} : { description: unescape(own) }), fields };
}

/** JavaScript names of properties whose JSON name is no identifier. */
function propertiesOf(source: string): Set<string> {
  return new Set(Array.from(source.matchAll(/^ {4}'([^']+)'\??:/gm), (match) => match[1] ?? ''));
}

/** Reads the documentation texts of the definitions from the installed @kubernetes/client-node package. */
export function loadTexts(facts: Facts): Texts {
  const texts = new Map<string, DefinitionText>();
  for (const definition of facts.definitions.values()) {
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
