import assert from 'node:assert/strict';
import { parseImportedNames } from './image-archives.ts';

describe('names of imported images', () => {
  const digest = `(sha256:${'0a'.repeat(32)})`;
  const cases: [string, string[]][] = [
    [`unpacking docker.io/library/a:1 ${digest}...done\n`, ['docker.io/library/a:1']],
    [`unpacking --help ${digest}...done\nunpacking b:1 ${digest}...done\n`, ['--help', 'b:1']],
    [`unpacking a name with blanks ${digest}...done\n`, ['a name with blanks']],
    ['unpacking docker.io/library/a:1...done\n', ['docker.io/library/a:1']],
    ['unpacking docker.io/library/a:1\n', ['docker.io/library/a:1']],
    ['nothing\n', []],
  ];
  for (const [output, names] of cases) it(JSON.stringify(names), () => assert.deepEqual(parseImportedNames(output), names));
});
