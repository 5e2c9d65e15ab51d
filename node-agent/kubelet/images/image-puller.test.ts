import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import type { Image, SandboxConfig } from '../../cri/messages.ts';
import type { ImageStore } from '../../cri/runtime.ts';
import { createBackoff } from '../containers/crash-backoff.ts';
import { ImageError } from './image-error.ts';
import { createImagePuller } from './image-puller.ts';
import { registryCredentials } from './registry-credentials.ts';

const sandbox = {} as SandboxConfig;

/** A puller over a store whose registry has `available`, with what it was asked for. */
function setUp(present: string[], available: string[] = []) {
  const clock = createManualClock();
  const stored = new Set(present);
  const pulled: string[] = [];
  const events: string[] = [];
  const images = {
    imageStatus: async (name: string) => (stored.has(name) ? ({ id: `id of ${name}`, size: '1024' } as Image) : undefined),
    async pullImage(name: string) {
      pulled.push(name);
      await Promise.resolve();
      if (!available.includes(name)) throw new Error('not found');
      stored.add(name);
      return name;
    },
  } as unknown as ImageStore;
  const puller = createImagePuller({
    images,
    clock,
    backoff: createBackoff(clock),
    findCredentials: async () => [],
    inTurn: (pull) => pull(),
  });
  const ensure = async (container: Partial<Container>) => {
    const pod: Pod = { metadata: { name: 'p', uid: 'u' }, spec: { containers: [] } };
    const report = { event: (_type: string, reason: string, message: string) => void events.push(`${reason}: ${message}`) };
    try {
      return (
        await puller.ensure({
          pod,
          container: { name: 'c', ...container },
          sandbox,
          pullSecrets: [],
          events: report,
          signal: new AbortController().signal,
        })
      ).id;
    } catch (error) {
      assert.ok(error instanceof ImageError);
      return `${error.reason}: ${error.message}`;
    }
  };
  return { clock, pulled, events, ensure };
}

describe('image puller', () => {
  const cases: [string, Partial<Container>, string[], string[], string, string[]][] = [
    ['present', { image: 'a:1', imagePullPolicy: 'IfNotPresent' }, ['a:1'], [], 'id of a:1', []],
    ['absent', { image: 'a:1', imagePullPolicy: 'IfNotPresent' }, [], ['a:1'], 'id of a:1', ['a:1']],
    ['always', { image: 'a:1', imagePullPolicy: 'Always' }, ['a:1'], ['a:1'], 'id of a:1', ['a:1']],
    ['latest by default', { image: 'a' }, ['a:latest'], ['a:latest'], 'id of a:latest', ['a:latest']],
    ['never', { image: 'a:1', imagePullPolicy: 'Never' }, ['a:1'], [], 'id of a:1', []],
    [
      'never, absent',
      { image: 'a:1', imagePullPolicy: 'Never' },
      [],
      ['a:1'],
      'ErrImageNeverPull: Container image "a:1" is not present with pull policy of Never',
      [],
    ],
    ['no such image', { image: 'a:1' }, [], [], 'ErrImagePull: failed to pull image "a:1": not found', ['a:1']],
    [
      'no name',
      { image: 'A:1' },
      [],
      [],
      'InvalidImageName: Failed to apply default image tag "A:1": couldn\'t parse image name "A:1": invalid reference format',
      [],
    ],
  ];
  for (const [name, container, present, available, outcome, asked] of cases) {
    it(name, async () => {
      const { ensure, pulled } = setUp(present, available);
      assert.deepEqual([await ensure(container), pulled], [outcome, asked]);
    });
  }

  it('backs off after a failure, longer each time', async () => {
    const { ensure, pulled, clock, events } = setUp([]);
    await ensure({ image: 'a:1' });
    assert.equal(
      await ensure({ image: 'a:1' }),
      'ImagePullBackOff: Back-off pulling image "a:1": ErrImagePull: failed to pull image "a:1": not found',
    );
    await clock.advance(10_000);
    assert.match(await ensure({ image: 'a:1' }), /^ErrImagePull/);
    await clock.advance(10_000);
    assert.match(await ensure({ image: 'a:1' }), /^ImagePullBackOff/);
    await clock.advance(10_000);
    assert.match(await ensure({ image: 'a:1' }), /^ErrImagePull/);
    assert.equal(pulled.length, 3);
    assert.equal(events.filter((event) => event === 'BackOff: Back-off pulling image "a:1"').length, 2);
  });

  it('pulls once for many that wait', async () => {
    const { ensure, pulled } = setUp([], ['a:1']);
    assert.deepEqual(await Promise.all([ensure({ image: 'a:1' }), ensure({ image: 'a:1' })]), ['id of a:1', 'id of a:1']);
    assert.deepEqual(pulled, ['a:1']);
  });
});

describe('registryCredentials', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const secretOf = (auths: object) => ({
    metadata: {},
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
  });
  const auths = {
    'https://index.docker.io/v1/': { auth: base64('hub:pw:x') },
    'r.example:5000': { username: 'u', password: 'p' },
    'r.example:5000/team': { username: 't', password: 'q' },
  };
  const cases: [string, string[]][] = [
    ['nginx', ['hub/pw:x']],
    ['r.example:5000/other/app:1', ['u/p']],
    ['r.example:5000/team/app:1', ['t/q', 'u/p']],
    ['r.example:5000/teams/app:1', ['u/p']],
    ['other.example/app', []],
  ];
  for (const [image, expected] of cases) {
    it(image, () => {
      const found = registryCredentials(image, [secretOf(auths)]);
      assert.deepEqual(
        found.map(({ username, password }) => `${username}/${password}`),
        expected,
      );
    });
  }
  it('takes nothing from what is no configuration', () => {
    assert.deepEqual(
      registryCredentials('nginx', [
        { metadata: {}, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('no json') } },
      ]),
      [],
    );
  });
});
