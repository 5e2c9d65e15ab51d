import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { factsFolder, loadFacts } from './facts.ts';
import { generateSchemaFiles } from './schema-files.ts';
import { loadTexts } from './texts.ts';
import { generateTypeFile } from './type-files.ts';

const root = new URL('../../', import.meta.url);
const stampFile = new URL('openapi/generated/stamp', root);

/** Everything that the output depends on, hashed: facts, this folder's code and the versions of the packages used. */
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
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const url = new URL(name.name, folder);
    if (name.isFile() && !files.has(name.name)) rmSync(url, { force: true });
  }
  for (const [name, content] of files) {
    const url = new URL(name, folder);
    if (existsSync(url) && readFileSync(url, 'utf8') === content) continue;
    writeFileSync(url, content);
  }
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
  writeFolder(new URL('api/schema/generated/', root), generateSchemaFiles(facts));
  mkdirSync(new URL('./', stampFile), { recursive: true });
  writeFileSync(stampFile, inputs);
}

await main();
