import assert from 'node:assert/strict';
import ts from 'typescript';
import { type SourceFile, sources } from './sources.ts';

const maxFileLines = 500;
/** "About 70" is the rule; what is above this is broken for certain. */
const maxFunctionLines = 90;

function longFunctions(file: SourceFile): string[] {
  const found: string[] = [];
  const lineOf = (position: number) => file.tree.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(file.tree)) + 1 - innerLines(node, lineOf);
      if (lines > maxFunctionLines) found.push(`${file.path}:${lineOf(node.getStart(file.tree)) + 1} has a function of ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** A closure that returns an object of functions is as long as its own code, not theirs. */
function innerLines(node: ts.Node, lineOf: (position: number) => number): number {
  let lines = 0;
  const visit = (child: ts.Node): void => {
    if (ts.isFunctionLike(child) && 'body' in child && child.body) lines += lineOf(child.end) - lineOf(child.getStart());
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return lines;
}

describe('architecture: sizes', function () {
  this.timeout(180_000);

  it(`no file has more than ${maxFileLines} lines`, () => {
    const long = sources().filter((file) => file.text.split('\n').length > maxFileLines + 1);
    assert.deepEqual(
      long.map((file) => `${file.path} has ${file.text.split('\n').length} lines`),
      [],
    );
  });

  it(`no function has more than ${maxFunctionLines} lines of its own`, () => {
    assert.deepEqual(
      sources()
        .filter((file) => !file.isTest)
        .flatMap(longFunctions),
      [],
    );
  });
});
