import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { generateDocuments } from './documents.ts';
import { type Facts, factsFolder, loadFacts } from './facts.ts';
import { loadParameterTexts } from './parameter-texts.ts';
import { generateSchemaFiles } from './schema-files.ts';
import { loadTexts, type Texts } from './texts.ts';
import { generateTypeFile } from './type-files.ts';

const root = new URL('../../', import.meta.url);
const stampFile = new URL('openapi/generated/stamp', root);

/** A hash of all inputs of the output: facts, this folder's code and the versions of the packages used. */
function hashInputs(): string {
  const hash = createHash('sha256');
  for (const folder of [factsFolder, new URL('./', import.meta.url)]) {
    for (const name of readdirSync(folder).sort()) {
      if (name.endsWith('.test.ts')) continue;
      hash.update(`${name}\0`).update(readFileSync(new URL(name, folder)));
    }
  }
  for (const name of ['@kubernetes/client-node', 'openapi-typescript', 'typescript']) {
    hash.update(readFileSync(new URL(`node_modules/${name}/package.json`, root)));
  }
  return hash.digest('hex');
}

/** Writes a folder anew, touching only files whose content differs, so that watchers and compilers see real changes only. */
function writeFolder(folder: URL, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const url = new URL(name, folder);
    if (!files.has(name) && statSync(url).isFile()) rmSync(url);
  }
  for (const [name, content] of files) {
    const url = new URL(name, folder);
    if (existsSync(url) && readFileSync(url, 'utf8') === content) continue;
    mkdirSync(new URL('./', url), { recursive: true });
    writeFileSync(url, content);
  }
}

/** The documents as bytes to be served, and index.json, which says what there is. */
function documentFiles(facts: Facts, texts: Texts): Map<string, string> {
  const files = new Map<string, string>();
  const index: { name: string; file: string; hash: string }[] = [];
  for (const [file, document] of generateDocuments(facts, texts, loadParameterTexts())) {
    const content = JSON.stringify(document);
    files.set(file, content);
    const hash = createHash('sha512').update(content).digest('hex').toUpperCase();
    index.push({ name: file === 'v2.json' ? 'v2' : file.replace(/^v3\/(.*)\.json$/, '$1'), file, hash });
  }
  index.sort((a, b) => (a.file < b.file ? -1 : 1));
  files.set('index.json', `${JSON.stringify({ documents: index }, undefined, 1)}\n`);
  return files;
}

async function main(): Promise<void> {
  const inputs = hashInputs();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === inputs) return;
  rmSync(stampFile, { force: true });
  const facts = loadFacts();
  const texts = loadTexts(facts);
  const types = new Map<string, string>();
  for (const file of facts.files) types.set(`${file.file}.ts`, await generateTypeFile(facts, file, texts));
  writeFolder(new URL('api/types/', root), types);
  writeFolder(new URL('api/schema/generated/', root), generateSchemaFiles(facts, texts));
  writeFolder(new URL('openapi/generated/', root), documentFiles(facts, texts));
  writeFileSync(stampFile, inputs);
}

await main();
