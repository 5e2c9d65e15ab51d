import assert from 'node:assert/strict';
import { fuzzRuns, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { roleBindings } from '../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import { parseQuery, parseRequestInfo } from '../request/request-info.ts';
import { splitProxyPath } from '../subresources/proxy-location.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';
import { checkPath } from './routing.ts';

const rounds = fuzzRuns(10_000, 100_000);
const random = createSeededRandom(11);
const number = (limit: number) => (random.bytes(1)[0] ?? 0) % limit;

function pick<T>(items: readonly T[], otherwise: T): T {
  return items[number(items.length)] ?? otherwise;
}

const definitions = catalog as readonly ResourceDefinition[];
const definitionOf = (group: string, version: string, plural: string) =>
  definitions.find((one) => one.group === group && one.version === version && one.names.plural === plural);

interface Words {
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** The route of a path by upstream's table of them, written as patterns; undefined where there is none. */
function findRoute(path: string, method: string, { group, version, names, scope, verbs }: ResourceDefinition): Words | undefined {
  const decoded = decodeURIComponent(path);
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const inNamespace = scope === 'Namespaced' ? 'namespaces/(?<namespace>[^/]+)/' : '';
  const isNamespace = group === '' && names.plural === 'namespaces';
  const one = `${names.plural}/(?<name>[^/]+)`;
  const isWatched = method === 'GET' && verbs.join() !== 'create';
  const patterns = [
    `${inNamespace}${names.plural}`,
    ...(scope === 'Namespaced' ? [names.plural, `namespaces//${names.plural}`] : []),
    `${inNamespace}${one}`,
    `${inNamespace}${one}/(?<subresource>${isNamespace ? 'status|finalize' : '[^/]+'})`,
    ...(isNamespace ? [] : [`${inNamespace}${one}/(?<subresource>proxy)/.*`]),
    ...(isWatched ? [`watch/${inNamespace}${names.plural}`, `watch/${inNamespace}${one}`] : []),
    ...(isWatched && scope === 'Namespaced' ? [`watch/${names.plural}`, `watch/namespaces//${names.plural}`] : []),
  ];
  for (const pattern of patterns) {
    const match = new RegExp(`^${base}/${pattern}/*$`, 's').exec(decoded);
    if (!match) continue;
    const { namespace = '', name = '', subresource = '' } = match.groups ?? {};
    return { namespace, name, subresource };
  }
  return undefined;
}

function respell(word: string): string {
  return [...word].map((letter) => (number(12) === 0 ? `%${letter.charCodeAt(0).toString(16)}` : letter)).join('');
}

function randomPath(): string {
  const definition = pick(definitions, namespaces as unknown as ResourceDefinition);
  const { group, version, names } = definition;
  const plural = () => (number(6) === 0 ? 'namespaces' : names.plural);
  const name = () => pick(['a', 'b', 'mine', 'pods', 'namespaces', 'status', 'proxy', 'watch', '.', '..', 'a%252Fb', '%c3%a9', ''], 'a');
  const words = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(number(4) === 0 ? ['watch'] : []),
    ...(number(3) > 0 ? ['namespaces', name()] : []),
    plural(),
    ...(number(3) > 0 ? [name()] : []),
    ...(number(3) === 0 ? [pick(['status', 'proxy', 'log', 'exec', 'namespaces', 'finalize'], 'status')] : []),
    ...(number(4) === 0 ? [name(), name()] : []),
  ];
  const separator = () => pick(['/', '/', '/', '/', '/', '/', '/', '%2F', '%2f', '//'], '/');
  const spelled = words.map((word) => (number(3) === 0 && !word.includes('%') ? respell(word) : word));
  return `/${spelled.reduce((path, word, index) => (index === 0 ? word : `${path}${separator()}${word}`), '')}${pick(['', '', '', '/', '//', '%2F'], '')}`;
}

describe('paths', () => {
  it('lead where they are authorized, in many spellings, and nowhere else', function () {
    this.timeout(1_200_000);
    const counts = { served: 0, refused: 0 };
    for (const _ of fuzzTurns('paths', rounds)) {
      const [path, method] = [randomPath(), pick(['GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'], 'GET')];
      const info = parseRequestInfo(method, path, parseQuery(''));
      const definition = definitionOf(info.apiGroup, info.apiVersion, info.resource);
      if (!info.isResourceRequest || !definition) continue;
      const route = findRoute(path, method, definition);
      let isServed = true;
      try {
        checkPath(info, method, definition);
      } catch (error) {
        assert.ok(error instanceof StatusError && (error.status.code === 404 || error.status.code === 405));
        isServed = false;
      }
      assert.equal(isServed, route !== undefined, `${method} ${path} ${JSON.stringify(info)}`);
      counts[isServed ? 'served' : 'refused']++;
      if (!route) continue;
      // A Namespace is authorized in itself.
      const namespace = info.resource === 'namespaces' && info.apiGroup === '' ? route.name : route.namespace;
      assert.deepEqual([info.namespace, info.name, info.subresource], [namespace, route.name, route.subresource], path);
      if (info.subresource !== 'proxy') continue;
      const { prefix, path: rest } = splitProxyPath(path, info);
      assert.match(decodeURIComponent(prefix), /\/proxy$/);
      assert.equal(decodeURIComponent(prefix + rest), decodeURIComponent(path));
      assert.equal(parseRequestInfo(method, prefix, parseQuery('')).parts.length, 3);
    }
    assert.ok(counts.served > rounds / 10 && counts.refused > rounds / 10, JSON.stringify(counts));
  });

  describe('of a user with all rights in one namespace', () => {
    let complete: CompleteServer;
    const user = { name: 'mallory', groups: ['system:authenticated'] };
    const statusOf = async (method: string, path: string, body?: unknown) => {
      const type = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
      const answer = await createAPICaller(complete.server.transport, user).call(method, path, {
        ...(body === undefined ? {} : { body }),
        ...type,
      });
      return answer.status;
    };
    before(async () => {
      complete = await startCompleteServer();
      const { admin } = complete;
      for (const name of ['mine', 'victim']) await admin(namespaces).create({ metadata: { name } });
      await admin(roles).create({
        metadata: { namespace: 'mine', name: 'all' },
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
      });
      await admin(roleBindings).create({
        metadata: { namespace: 'mine', name: 'all' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'all' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user.name }],
      });
      await eventually('the rights', async () => (await statusOf('GET', '/api/v1/namespaces/mine/pods')) === 200);
    });
    after(() => complete.close());

    const victim = '/api/v1/namespaces/mine/namespaces/victim';
    const label = { metadata: { labels: { a: 'b' } } };
    for (const [method, path, body] of [
      ['GET', '/api/v1/namespaces/mine/namespaces'],
      ['GET', '/api/v1/namespaces/mine/namespaces?watch=true'],
      ['GET', '/api/v1/namespaces/mine/namespaces/mine'],
      ['GET', victim],
      ['GET', '/api/v1/watch/namespaces/mine/namespaces/victim'],
      ['GET', '/api/v1/namespaces/mine%2Fnamespaces%2fvictim'],
      ['PATCH', victim, label],
      ['PUT', victim, { metadata: { name: 'victim' } }],
      ['PUT', `${victim}/finalize`, { metadata: { name: 'victim' }, spec: { finalizers: [] } }],
      ['PATCH', `${victim}/status`, label],
      ['POST', '/api/v1/namespaces/mine/namespaces', { metadata: { name: 'new' } }],
      ['DELETE', victim],
      ['DELETE', '/api/v1/namespaces/mine/namespaces'],
      ['GET', '/api/v1/namespaces/mine/nodes'],
      ['GET', '/api/v1/namespaces/mine/persistentvolumes/x'],
      ['GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/mine/clusterroles'],
    ] as const)
      it(`${method} ${path} leads nowhere`, async () => {
        assert.equal(await statusOf(method, path, body), 404);
        const { status, metadata } = await complete.admin(namespaces).get({ namespace: '', name: 'victim' });
        assert.deepEqual([status?.phase, metadata.labels?.['a'], metadata.deletionTimestamp], ['Active', undefined, undefined]);
      });
    it('the namespace itself is open', async () => {
      assert.equal(await statusOf('GET', '/api/v1/namespaces/mine'), 200);
      assert.equal(await statusOf('GET', '/api/v1/namespaces/victim'), 403);
      assert.equal(await statusOf('GET', '/api/v1/namespaces'), 403);
      assert.equal(await statusOf('PATCH', '/api/v1/namespaces/mine', label), 200);
    });
  });
});
