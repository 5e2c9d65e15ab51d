import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { OpenAPIDocuments } from '../apiserver/documents/openapi.ts';

interface Index {
  readonly documents: readonly { readonly name: string; readonly file: string; readonly hash: string }[];
}

const directory = path.resolve(import.meta.dirname, '../../openapi/generated');

/** The generated OpenAPI documents, read from disk when first asked for. */
export function createOpenAPIDocuments(): OpenAPIDocuments {
  let index: Promise<Index> | undefined;
  const list = async () => {
    index ??= readFile(path.join(directory, 'index.json'), 'utf8').then((text) => JSON.parse(text) as Index);
    return (await index).documents;
  };
  return {
    list,
    async read(name) {
      const document = (await list()).find((candidate) => candidate.name === name);
      if (!document) throw new Error(`there is no OpenAPI document ${name}`);
      return readFile(path.join(directory, document.file));
    },
  };
}
