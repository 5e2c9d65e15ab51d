import { readFileSync } from 'node:fs';
import { unescapeText } from './texts.ts';

export interface ParameterTexts {
  /** Documentation of an operation's parameter; that of the same parameter elsewhere where the operation has none. */
  find(operationId: string, parameter: string): string | undefined;
}

const entities: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#39;': "'",
  '&#x60;': '`',
  '&#x3D;': '=',
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

/** The texts in which upstream itself has written two spaces. */
const wideTexts = /^insecureSkipTLSVerifyBackend /;
const wideGap = '" event  will';

/** Undoes what generating the request types does to a text: entities, and line breaks that have become spaces. */
function restoreText(text: string): string {
  const plain = unescapeText(text.replaceAll(/\\?(&#?\w+;)/g, (whole, entity: string) => entities[entity] ?? whole));
  if (wideTexts.test(plain)) return plain;
  return plain
    .replaceAll(/ {2,}/g, (gap, at: number) => {
      if (plain.startsWith(wideGap, at - wideGap.indexOf('  '))) return gap;
      return gap.length % 2 === 0 ? `\n\n${gap.slice(2)}` : `\n${gap.slice(1)}`;
    })
    .replaceAll(/(?<=\.) (?=- `)/g, '\n');
}

const requestsFile = new URL('gen/types/ObjectParamAPI.d.ts', import.meta.resolve('@kubernetes/client-node'));

/** Reads them from the request types of the installed @kubernetes/client-node package. */
export function loadParameterTexts(): ParameterTexts {
  const source = readFileSync(requestsFile, 'utf8');
  const byOperation = new Map<string, Map<string, string>>();
  const anywhere = new Map<string, string>();
  for (const block of source.split('export interface ').slice(1)) {
    const [, api = '', operation = ''] = /^(\w+?)Api([A-Z]\w*)Request \{/.exec(block) ?? [];
    const texts = new Map<string, string>();
    for (const match of block.matchAll(/\/\*\*\s*\n\s*\* ((?:(?!\*\/)[\s\S])*?)\n\s*\* Defaults to: [\s\S]*?\*\/\s*\n\s*(\w+)\??:/g)) {
      const [, text = '', name = ''] = match;
      const parameter = name === '_continue' ? 'continue' : name;
      texts.set(parameter, restoreText(text));
      if (!anywhere.has(parameter)) anywhere.set(parameter, restoreText(text));
    }
    byOperation.set(`${operation.slice(0, 1).toLowerCase()}${operation.slice(1)} ${api}`, texts);
  }
  return {
    find(operationId, parameter) {
      const [, verb = '', rest = ''] = /^([a-z]+)(.*)$/.exec(operationId) ?? [];
      const [, group = '', noun = ''] = /^((?:[A-Z][a-z]+)+?V\d+(?:(?:alpha|beta)\d+)?)(.*)$/.exec(rest) ?? [];
      return byOperation.get(`${verb}${noun} ${group}`)?.get(parameter) ?? (parameter === 'name' ? undefined : anywhere.get(parameter));
    },
  };
}
