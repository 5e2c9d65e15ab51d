import assert from 'node:assert/strict';
import ts from 'typescript';
import { type SourceFile, sources } from './sources.ts';

/** Whether a file may use time, randomness, the process and the console directly: all others are given them. */
const mayReach = (file: string): boolean =>
  /^(node-agent\/main|api\/base\/system-clock|api\/base\/system-random|api\/meta\/time)\.ts$/.test(file) ||
  /^(server\/cli|server\/control-plane|openapi\/generate|conformance|docs\/operators)\//.test(file);

const bannedIdentifiers = new Set(['process', 'Date', 'setTimeout', 'setInterval', 'console', 'fetch', 'performance']);

function reaches(file: SourceFile): string[] {
  const found: string[] = [];
  const report = (node: ts.Node, what: string) =>
    found.push(`${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} uses ${what}`);
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isPropertyAccessExpression(node) && node.expression.getText() === 'Math' && node.name.text === 'random')
      report(node, 'Math.random');
    if (ts.isIdentifier(node) && bannedIdentifiers.has(node.text) && isReference(node)) report(node, node.text);
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** Whether the identifier reads a variable (not a property name, a declaration, an import or a key). */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent))
    return 'initializer' in parent && parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent)) return !isDeclaredIn(node);
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent) || ts.isFunctionDeclaration(parent)) {
    return 'initializer' in parent && parent.initializer === node;
  }
  if (ts.isImportSpecifier(parent) || ts.isImportClause(parent) || ts.isExportSpecifier(parent) || ts.isMethodSignature(parent))
    return false;
  return !isDeclaredIn(node);
}

/** A local of that name (a parameter called `process`) is not the global. */
function isDeclaredIn(node: ts.Identifier): boolean {
  for (let scope: ts.Node | undefined = node.parent; scope; scope = scope.parent) {
    if (ts.isFunctionLike(scope) && scope.parameters.some((parameter) => declares(parameter.name, node.text))) return true;
    if (ts.isBlock(scope) || ts.isSourceFile(scope)) {
      for (const statement of scope.statements) {
        if (
          ts.isVariableStatement(statement) &&
          statement.declarationList.declarations.some((declaration) => declares(declaration.name, node.text))
        )
          return true;
        if (ts.isFunctionDeclaration(statement) && statement.name?.text === node.text) return true;
        if (ts.isImportDeclaration(statement) && new RegExp(`\\b${node.text}\\b`).test(statement.importClause?.getText() ?? ''))
          return true;
      }
    }
    if (
      ts.isForOfStatement(scope) &&
      ts.isVariableDeclarationList(scope.initializer) &&
      scope.initializer.declarations.some((declaration) => declares(declaration.name, node.text))
    )
      return true;
  }
  return false;
}

function declares(name: ts.BindingName, text: string): boolean {
  if (ts.isIdentifier(name)) return name.text === text;
  return name.elements.some((element) => ts.isBindingElement(element) && declares(element.name, text));
}

describe('architecture: globals', function () {
  // The first to ask for the sources parses them all.
  this.timeout(180_000);
  it('time, randomness, process and console are passed in, never reached for', () => {
    const found = sources()
      .filter((file) => !file.isTest && !mayReach(file.path))
      .flatMap(reaches);
    assert.deepEqual(found, []);
  });
});
