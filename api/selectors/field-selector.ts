import { quote } from '../base/quote.ts';
import { SelectorError } from './label-selector.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Decides on fields such as metadata.name; a field that an object does not have reads ''. Immutable. */
export class FieldMatcher {
  static readonly everything: FieldMatcher = new FieldMatcher([]);

  readonly requirements: readonly FieldRequirement[];
  #compiled: ((get: (field: string) => string) => boolean) | undefined;
  #text: string | undefined;

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  get isEverything(): boolean {
    return this.requirements.length === 0;
  }

  matches(get: (field: string) => string): boolean {
    if (this.requirements.length > comparedOneByOne) {
      this.#compiled ??= compileFields(this.requirements);
      return this.#compiled(get);
    }
    for (const { field, operator, value } of this.requirements) if ((get(field) === value) !== (operator === '=')) return false;
    return true;
  }

  /** The value that the field must have, if the selector requires one: an index or a single get can then answer. */
  requiredValue(field: string): string | undefined {
    return this.requirements.find((requirement) => requirement.field === field && requirement.operator === '=')?.value;
  }

  toString(): string {
    this.#text ??= this.requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',');
    return this.#text;
  }
}

/** Number of requirements that are compared faster than an index of them is made. */
const comparedOneByOne = 8;

/** A function that decides as all requirements one after the other would, and reads each field once. */
function compileFields(requirements: readonly FieldRequirement[]): (get: (field: string) => string) => boolean {
  const fields = new Map<string, { readonly wanted: Set<string>; readonly refused: Set<string> }>();
  for (const { field, operator, value } of requirements) {
    const values = fields.get(field) ?? { wanted: new Set(), refused: new Set() };
    fields.set(field, values);
    (operator === '=' ? values.wanted : values.refused).add(value);
  }
  return (get) => {
    for (const [field, { wanted, refused }] of fields) {
      const value = get(field);
      if (refused.has(value) || wanted.size > 1 || (wanted.size === 1 && !wanted.has(value))) return false;
    }
    return true;
  };
}

/** Reads the fieldSelector query parameter: `spec.nodeName=a,status.phase!=Running`. Throws SelectorError. */
export function parseFieldSelector(text: string): FieldMatcher {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).toSorted()) {
    if (term === '') continue;
    const match = /^((?:(?!!=)[^=])*)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator = '', value = ''] = match;
    const requirement: FieldRequirement = { field, operator: operator === '!=' ? '!=' : '=', value: unescape(value) };
    if (field !== '' || requirement.value !== '') requirements.push(requirement);
  }
  return requirements.length === 0 ? FieldMatcher.everything : new FieldMatcher(requirements);
}

/** For values put into a selector: backslash, comma and equals sign get a backslash. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

/** Throws SelectorError for the first field that the resource cannot be selected by. Upstream has words of its own for custom kinds. */
export function requireSupportedFields(matcher: FieldMatcher, supported: ReadonlySet<string>, isCustom = false): void {
  for (const { field } of matcher.requirements) {
    if (supported.has(field)) continue;
    const hasOnlyNames = !isCustom && supported.size === 2 && supported.has('metadata.name') && supported.has('metadata.namespace');
    throw new SelectorError(
      hasOnlyNames
        ? `${quote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    );
  }
}

function splitTerms(text: string): string[] {
  return text.match(/(?:\\[^]|[^\\,]+|\\$)+/g) ?? [];
}

function unescape(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const character = value.charAt(i);
    if (character === ',' || character === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    }
    if (character !== '\\') {
      text += character;
      continue;
    }
    const next = value.charAt(++i);
    if (!['\\', ',', '='].includes(next)) throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
    text += next;
  }
  return text;
}
