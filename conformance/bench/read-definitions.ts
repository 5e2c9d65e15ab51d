import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { loadAll } from 'js-yaml';

export type Definition = Readonly<Record<string, unknown>>;

/** The CustomResourceDefinitions in the YAML and JSON files below a directory; the first of those with the same name. */
export function readDefinitions(directory: string): Definition[] {
  const found = new Map<string, Definition>();
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!/\.(?:ya?ml|json)$/.test(file)) continue;
    for (const document of documentsOf(readFileSync(path.join(directory, file), 'utf8'))) {
      if (!isDefinition(document)) continue;
      const { name } = document.metadata;
      if (!found.has(name)) found.set(name, document);
    }
  }
  return [...found.values()];
}

/** A file that is a template of something else is none of ours. */
function documentsOf(text: string): unknown[] {
  if (!text.includes('CustomResourceDefinition')) return [];
  try {
    return loadAll(text);
  } catch {
    return [];
  }
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

function isDefinition(value: unknown): value is Named {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Partial<Named>).kind === 'CustomResourceDefinition' &&
    (value as { apiVersion?: unknown }).apiVersion === 'apiextensions.k8s.io/v1'
  );
}
