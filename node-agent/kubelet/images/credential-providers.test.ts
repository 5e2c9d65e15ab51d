import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createCredentialProviders, matchesImage, parseCredentialProviders } from './credential-providers.ts';

const config = (more = '') => `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: cloud
  matchImages: ['*.registry.io', '123456789.dkr.ecr.*.amazonaws.com']
  defaultCacheDuration: 10m
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [get]
  env: [{name: PROFILE, value: x}]
${more}`;

describe('credential providers', () => {
  const matches: [pattern: string, image: string, isMatch: boolean][] = [
    ['registry.io', 'registry.io/app', true],
    ['*.registry.io', 'eu.registry.io/app:1', true],
    ['*.registry.io', 'a.eu.registry.io/app', false],
    ['eu-*.registry.io', 'eu-west.registry.io/app', true],
    ['registry.io/team', 'registry.io/team/app', true],
    ['registry.io/team', 'registry.io/teams/app', false],
    ['registry.io:8080', 'registry.io:8080/app', true],
    ['registry.io', 'registry.io:8080/app', false],
    ['docker.io', 'nginx', true],
  ];
  for (const [pattern, image, isMatch] of matches)
    it(`${pattern} is ${isMatch ? '' : 'not '}for ${image}`, () => assert.equal(matchesImage(pattern, image), isMatch));

  it('are configured by a file', () => {
    const [provider] = parseCredentialProviders(config());
    assert.deepEqual(
      [provider?.name, provider?.defaultCacheMs, provider?.args, provider?.env],
      ['cloud', 600_000, ['get'], { PROFILE: 'x' }],
    );
  });

  const wrong: [string, string, RegExp][] = [
    ['another kind', 'kind: Pod', /not CredentialProviderConfig/],
    ['none', 'kind: CredentialProviderConfig', /at least 1 item/],
    ['a path', config().replace('name: cloud', 'name: ../cloud'), /cannot be a path/],
    ['another version', config().replace('credentialprovider.kubelet.k8s.io/v1', 'x/v9'), /unsupported apiVersion/],
    ['tokens', config('  tokenAttributes: {}'), /tokenAttributes are not supported/],
  ];
  for (const [name, text, problem] of wrong) it(`refuse ${name}`, () => assert.throws(() => parseCredentialProviders(text), problem));

  function setUp(answer: (image: string) => object) {
    const clock = createManualClock();
    const asked: string[] = [];
    const find = createCredentialProviders({
      providers: parseCredentialProviders(config()),
      clock,
      logger: silentLogger,
      async run(_provider, input) {
        const { kind, apiVersion, image } = JSON.parse(input) as Record<string, string>;
        assert.deepEqual([kind, apiVersion], ['CredentialProviderRequest', 'credentialprovider.kubelet.k8s.io/v1']);
        asked.push(image ?? '');
        return JSON.stringify({ kind: 'CredentialProviderResponse', apiVersion, ...answer(image ?? '') });
      },
    });
    return { clock, asked, find };
  }
  const auth = {
    '*.registry.io': { username: 'any', password: 'p' },
    'eu.registry.io/team': { username: 'team', password: 'p' },
    'us.registry.io': { username: 'us', password: 'p' },
  };

  it('are asked for images that they are for, the most specific answer first', async () => {
    const { find, asked } = setUp(() => ({ auth }));
    assert.deepEqual(
      (await find('eu.registry.io/team/app')).map(({ username }) => username),
      ['team', 'any'],
    );
    assert.deepEqual(await find('other.io/app'), []);
    assert.deepEqual(asked, ['eu.registry.io/team/app']);
  });

  it('are not asked again for as long as they say', async () => {
    const { find, asked, clock } = setUp(() => ({ cacheKeyType: 'Registry', cacheDuration: '1m', auth }));
    await find('eu.registry.io/a');
    await find('eu.registry.io/b');
    await find('us.registry.io/a');
    assert.deepEqual(asked, ['eu.registry.io/a', 'us.registry.io/a']);
    await clock.advance(61_000);
    await find('eu.registry.io/b');
    assert.equal(asked.length, 3);
  });

  it('that fail know nothing', async () => {
    const { find } = setUp(() => ({ kind: 'Other' }));
    assert.deepEqual(await find('eu.registry.io/a'), []);
  });
});
