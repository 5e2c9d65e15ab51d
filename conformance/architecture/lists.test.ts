import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { importsOf, sources } from './sources.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A written list must import each of these files; there is no registration by side effect. */
interface WrittenList {
  readonly list: string;
  readonly members: () => string[];
}

const filesUnder = (folder: string, keep: (file: string) => boolean): string[] =>
  sources()
    .map((file) => file.path)
    .filter((file) => file.startsWith(`${folder}/`) && !file.endsWith('.test.ts') && keep(file.slice(folder.length + 1)));

const lists: readonly WrittenList[] = [
  {
    list: 'api/resources/catalog.ts',
    members: () => filesUnder('api/resources', (file) => /^[^/]+\/v\d\/[^/]+\.ts$/.test(file)).filter(declaresWith('defineResource')),
  },
  {
    list: 'server/controllers/controllers.ts',
    members: () => filesUnder('server/controllers', (file) => /^[^/]+\/controller\.ts$/.test(file)),
  },
  {
    list: 'server/apiserver/admission/plugins/plugins.ts',
    members: () =>
      filesUnder('server/apiserver/admission/plugins', (file) => file !== 'plugins.ts').filter(declaresWith('defineAdmissionPlugin')),
  },
  {
    list: 'server/scheduler/plugins/plugins.ts',
    members: () => filesUnder('server/scheduler/plugins', (file) => file !== 'plugins.ts').filter(declaresWith('defineSchedulerPlugin')),
  },
  {
    list: 'node-agent/preflight/checks.ts',
    members: () => filesUnder('node-agent/preflight/checks', () => true),
  },
];

function declaresWith(call: string): (file: string) => boolean {
  return (path) =>
    sources().some((file) => file.path === path && file.text.includes(`${call}`) && new RegExp(`= ${call}\\b`).test(file.text));
}

describe('architecture: written lists', function () {
  this.timeout(180_000);

  for (const { list, members } of lists) {
    it(`${list} names every file that belongs to it`, () => {
      const file = sources().find((source) => source.path === list);
      assert.ok(file, `${list} is missing`);
      const named = new Set(importsOf(file).map((entry) => entry.to));
      const expected = members();
      assert.ok(expected.length > 0, `nothing was found for ${list}`);
      assert.deepEqual(
        expected.filter((member) => !named.has(member)),
        [],
      );
    });
  }

  it('every top-level folder has a README with its invariants', () => {
    for (const folder of ['api', 'server', 'node-agent', 'openapi', 'conformance']) {
      assert.ok(existsSync(path.join(root, folder, 'README.md')), `${folder}/README.md is missing`);
    }
  });

  it('the top level holds what was agreed and nothing else', () => {
    const allowed = new Set([
      'api',
      'server',
      'node-agent',
      'openapi',
      'conformance',
      'docs',
      'README.md',
      'LICENSE',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'biome.json',
      'node_modules',
      'dist',
    ]);
    assert.deepEqual(
      readdirSync(root).filter((entry) => !entry.startsWith('.') && !allowed.has(entry)),
      [],
    );
  });
});
