import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { sources } from './sources.ts';

/** Exports that may be unused. Lower it when the number has fallen; the way down is to take `export` or the code away. */
const mostUnused = 60;

const root = path.resolve(import.meta.dirname, '../..');

/** Programs and generated code import sources too, and are none themselves. */
function otherImporters(): readonly { readonly path: string; readonly tree: ts.SourceFile }[] {
  return ['server/cli', 'api/schema/generated']
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) => readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((file) => /\.mjs$|generated\/.*\.ts$/.test(file))
    .map((file) => ({
      path: file,
      tree: ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true),
    }));
}

/** Adds `<file> <name>` of everything that a file imports; `*` where it takes all. */
function addImports(file: string, tree: ts.SourceFile, used: Set<string>): void {
  const add = (specifier: ts.Node | undefined, names: readonly string[]) => {
    if (!specifier || !ts.isStringLiteralLike(specifier) || !specifier.text.startsWith('.')) return;
    const from = path.posix.join(path.posix.dirname(file), specifier.text);
    for (const name of names) used.add(`${from} ${name}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
      const isList = bindings && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings));
      add(node.moduleSpecifier, isList ? bindings.elements.map((element) => (element.propertyName ?? element.name).text) : ['*']);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], ['*']);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, ['*']);
    ts.forEachChild(node, visit);
  };
  visit(tree);
}

function exportsOf(tree: ts.SourceFile): string[] {
  return tree.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const has = (kind: ts.SyntaxKind) => modifiers.some((modifier) => modifier.kind === kind);
    if (!has(ts.SyntaxKind.ExportKeyword) || has(ts.SyntaxKind.DefaultKeyword)) return [];
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText());
    return 'name' in statement && statement.name ? [(statement.name as ts.Identifier).text] : [];
  });
}

describe('architecture: exports', function () {
  this.timeout(180_000);

  it(`no more than ${mostUnused} exports are used by no other file`, () => {
    const used = new Set<string>();
    for (const { path: file, tree } of [...sources(), ...otherImporters()]) addImports(file, tree, used);
    const unused = sources()
      .filter(({ path: file, isTest }) => !isTest && !used.has(`${file} *`))
      .flatMap(({ path: file, tree }) => exportsOf(tree).map((name) => `${file} ${name}`))
      .filter((name) => !used.has(name));
    assert.ok(unused.length <= mostUnused, `${unused.length} exports are unused:\n${unused.join('\n')}`);
    assert.ok(used.size > 1000, `only ${used.size} imports were found`);
  });
});
