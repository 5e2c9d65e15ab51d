import assert from 'node:assert/strict';
import { type ImportOf, importsOf, sources } from './sources.ts';

interface Rule {
  readonly says: string;
  readonly forbids: (from: string, to: string) => boolean;
}

const top = (file: string): string => file.slice(0, file.indexOf('/'));
const isOwn = (to: string): boolean => /^(api|server|node-agent|openapi|conformance)\//.test(to);
const under = (file: string, ...folders: string[]): boolean => folders.some((folder) => file.startsWith(`${folder}/`));
const segmentsOf = (file: string, count: number): string => file.split('/').slice(0, count).join('/');
const segment = (file: string, base: string): string => file.slice(base.length).split('/')[0] ?? '';

/** Files that put the parts together may reach everywhere below their top level. */
const compositionRoots = (file: string): boolean =>
  file === 'node-agent/main.ts' || under(file, 'server/cli') || under(file, 'server/control-plane');

const rules: readonly Rule[] = [
  { says: 'api imports no other top-level folder', forbids: (from, to) => under(from, 'api') && isOwn(to) && top(to) !== 'api' },
  {
    says: 'api imports no node: module, but for the HTTP transport',
    forbids: (from, to) => under(from, 'api') && to.startsWith('node:') && !/^api\/client\/http-transport(-.*)?\.ts$/.test(from),
  },
  {
    says: 'api does no input or output through packages',
    forbids: (from, to) => under(from, 'api') && /^(express|ws|etcd3|@grpc\/|lmdb|pino)/.test(to),
  },
  ...['server/controllers', 'server/scheduler', 'node-agent', 'conformance/suite'].map((folder) => ({
    says: `${folder} imports only api and itself`,
    forbids: (from: string, to: string) =>
      under(from, folder) &&
      !compositionRoots(from) &&
      isOwn(to) &&
      !under(to, 'api', folder, ...(folder === 'conformance/suite' ? ['conformance/framework'] : [])),
  })),
  {
    says: 'verbs, lists, watching, documents and routing do not know storage implementations',
    forbids: (from, to) =>
      under(
        from,
        'server/apiserver/verbs',
        'server/apiserver/lists',
        'server/apiserver/watching',
        'server/apiserver/documents',
        'server/apiserver/routing',
      ) && /^server\/storage\/(?!storage\.ts|watch-cache\/)/.test(to),
  },
  {
    says: 'apiserver does not know storage implementations',
    forbids: (from, to) =>
      under(from, 'server/apiserver') && under(to, 'server/storage/etcd', 'server/storage/embedded', 'server/storage/memory'),
  },
  {
    says: 'storage knows nothing above it',
    forbids: (from, to) => under(from, 'server/storage') && under(to, 'server') && !under(to, 'server/storage'),
  },
  {
    says: 'nothing below serving knows serving',
    forbids: (from, to) =>
      under(from, 'server') && !under(from, 'server/serving') && !compositionRoots(from) && under(to, 'server/serving'),
  },
  {
    says: 'an admission plugin imports no other plugin',
    forbids: (from, to) =>
      under(from, 'server/apiserver/admission/plugins') &&
      under(to, 'server/apiserver/admission/plugins') &&
      !from.endsWith('/plugins.ts') &&
      pluginOf(from, 'server/apiserver/admission/plugins/') !== pluginOf(to, 'server/apiserver/admission/plugins/'),
  },
  {
    says: 'a scheduler plugin imports no other plugin',
    forbids: (from, to) =>
      under(from, 'server/scheduler/plugins') &&
      under(to, 'server/scheduler/plugins') &&
      !from.endsWith('/plugins.ts') &&
      pluginOf(from, 'server/scheduler/plugins/') !== pluginOf(to, 'server/scheduler/plugins/'),
  },
  {
    says: 'a controller imports no other controller',
    forbids: (from, to) => {
      const base = 'server/controllers/';
      if (!under(from, 'server/controllers') || !under(to, 'server/controllers')) return false;
      const [mine, its] = [segment(from, base), segment(to, base)];
      return !mine.endsWith('.ts') && mine !== its && its !== 'runtime' && !its.endsWith('.ts');
    },
  },
  {
    says: 'the node agent runs programs and touches files only under linux and cni',
    forbids: (from, to) =>
      under(from, 'node-agent') &&
      /^node:(fs|child_process)/.test(to) &&
      !under(from, 'node-agent/linux', 'node-agent/network/cni') &&
      from !== 'node-agent/main.ts',
  },
  {
    says: 'the operators of docs/operators import nothing of the project: a reader copies their folder',
    forbids: (from, to) => under(from, 'docs') && (isOwn(to) || (under(to, 'docs') && segmentsOf(from, 3) !== segmentsOf(to, 3))),
  },
  { says: 'the project reads nothing outside its own tree', forbids: (_from, to) => to.startsWith('..') },
];

/** `plugins/x.ts` and `plugins/x/…` are one plugin `x`; `plugins/x-rules.ts` is a part of `x` only inside its folder. */
function pluginOf(file: string, base: string): string {
  return segment(file, base).replace(/(\.test)?\.ts$/, '');
}

describe('architecture: imports', function () {
  this.timeout(180_000);

  const imports: ImportOf[] = [];
  const production: ImportOf[] = [];
  before(() => {
    for (const file of sources()) {
      const found = importsOf(file);
      imports.push(...found);
      if (!file.isTest) production.push(...found);
    }
  });

  for (const rule of rules) {
    it(rule.says, () => {
      const broken = production
        .filter(({ from, to }) => rule.forbids(from, to))
        .map(({ from, to, line }) => `${from}:${line} imports ${to}`);
      assert.deepEqual(broken, []);
    });
  }

  it('production code imports no tests or test data (conformance/ is tests itself)', () => {
    const broken = production
      .filter(({ from }) => !under(from, 'conformance'))
      .filter(({ to }) => /\.test\.ts$|\/testing\/|\/testdata\//.test(to) && isOwn(to))
      .map(({ from, to }) => `${from} imports ${to}`);
    assert.deepEqual(broken, []);
  });

  it('there are files to look at', () => assert.ok(imports.length > 100, `only ${imports.length} imports were found`));
});
