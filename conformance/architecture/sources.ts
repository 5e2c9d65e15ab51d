import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** Relative to the repository, with '/'. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
  readonly tree: ts.SourceFile;
}

const root = path.resolve(import.meta.dirname, '../..');
const topLevel = ['api', 'server', 'node-agent', 'openapi', 'conformance', 'docs/operators'];
const generated = ['api/types/', 'api/schema/generated/', 'openapi/generated/', 'conformance/images/build/'];

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(path.join(root, directory), { withFileTypes: true })) {
    const relative = `${directory}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && !generated.includes(`${relative}/`)) yield* walk(relative);
    } else if (entry.name.endsWith('.ts')) yield relative;
  }
}

let loaded: readonly SourceFile[] | undefined;

/** Every TypeScript source of the project that people write, parsed. */
export function sources(): readonly SourceFile[] {
  loaded ??= topLevel.flatMap((directory) =>
    [...walk(directory)].map((file) => {
      const text = readFileSync(path.join(root, file), 'utf8');
      return {
        path: file,
        text,
        isTest: /\.test\.ts$|\/testing\/|\/testdata\//.test(file),
        tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true),
      };
    }),
  );
  return loaded;
}

export interface ImportOf {
  readonly from: string;
  /** 'node:fs', a package name, or a path relative to the repository. */
  readonly to: string;
  readonly line: number;
}

/** Static and dynamic imports and re-exports of a file, resolved to repository paths. */
export function importsOf(file: SourceFile): ImportOf[] {
  const found: ImportOf[] = [];
  const add = (specifier: ts.Node | undefined) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const to = specifier.text.startsWith('.')
      ? path.posix.normalize(path.posix.join(path.posix.dirname(file.path), specifier.text))
      : specifier.text;
    found.push({ from: file.path, to, line: file.tree.getLineAndCharacterOfPosition(specifier.pos).line + 1 });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}
