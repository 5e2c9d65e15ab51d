import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { FieldPath } from '../../validation/field-path.ts';

type Props = DeepReadonly<JSONSchemaProps>;

export type SchemaPath =
  | { readonly ok: true; readonly path: FieldPath; readonly first: string; readonly schema: Props }
  | { readonly ok: false; readonly problem: string };

const failed = (problem: string): SchemaPath => ({ ok: false, problem });

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' };

/** Follows a path such as `.spec.map['a.b']` through a schema: each step has to be a field or a key that it specifies. */
export function resolveSchemaPath(text: string, root: Props, options: { readonly allowsSubscripts: boolean }): SchemaPath {
  const tokens = tokensOf(text);
  let path = FieldPath.root;
  let schema = root;
  let first = '';
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (token !== '[' && token !== '.') return failed(`expected [ or . but got: ${token}`);
    if (token === '[' && !options.allowsSubscripts) return failed('array notation is not allowed');
    const raw = tokens[++at];
    if (raw === undefined) return failed('unexpected end of JSON path');
    let name = raw;
    if (token === '[') {
      if (!/^'.*'$/s.test(raw) || raw.length < 2) return failed(`expected single quoted string but got ${raw}`);
      const unescaped = unescape(raw.slice(1, -1));
      if (unescaped === undefined) return failed(`invalid string literal: invalid escape char ${/\\[^abfnrtv'\\]/.exec(raw)?.[0] ?? ''}`);
      name = unescaped;
    }
    const { properties, additionalProperties: values } = schema;
    const isNamed = properties !== undefined;
    const next = isNamed ? (Object.hasOwn(properties, name) ? properties[name] : undefined) : isSchema(values) ? values : undefined;
    if (next === undefined) return failed('does not refer to a valid field');
    path = isNamed ? path.child(name) : path.key(name);
    if (first === '') first = name;
    schema = next;
    if (token !== '[') continue;
    const end = tokens[++at];
    if (end === undefined) return failed('unexpected end of JSON path');
    if (end !== ']') return failed(`expected ] but got ${end}`);
  }
  return { ok: true, path, first, schema };
}

function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tokens of a path: delimiters, quoted texts, and the texts between them. */
function tokensOf(text: string): string[] {
  return text.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gs) ?? [];
}

function unescape(text: string): string | undefined {
  let isValid = true;
  const unescaped = text.replaceAll(/\\(.)/gs, (_, character: string) => {
    const found = escapes[character];
    if (found === undefined) isValid = false;
    return found ?? '';
  });
  return isValid ? unescaped : undefined;
}
