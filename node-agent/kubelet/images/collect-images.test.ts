import assert from 'node:assert/strict';
import type { Image } from '../../cri/messages.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { ContainerRuntime, ImageStore } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { createImageCollector, defaultImageCollection, noteImages, planCollection, type Sightings } from './collect-images.ts';

const image = (id: string, size = 10, pinned = false): Image => ({
  id,
  size: String(size),
  pinned,
  repo_tags: [id],
  repo_digests: [],
  uid: null,
  username: '',
});
const minute = 60_000;

describe('image collection', () => {
  const nowMs = 100 * minute;
  const sightings: Sightings = new Map([
    ['old', { firstSeenMs: 0, lastUsedMs: 10 * minute }],
    ['older', { firstSeenMs: 0, lastUsedMs: 5 * minute }],
    ['never', { firstSeenMs: 50 * minute, lastUsedMs: 0 }],
    ['young', { firstSeenMs: 99 * minute, lastUsedMs: 0 }],
    ['used', { firstSeenMs: 0, lastUsedMs: nowMs }],
    ['pinned', { firstSeenMs: 0, lastUsedMs: 0 }],
  ]);
  const all = [image('old'), image('older'), image('never'), image('young'), image('used'), image('pinned', 10, true)];
  const plan = (wantedBytes: number, maxAgeMs = 0, minAgeMs = 2 * minute) => {
    const { remove, shortBytes } = planCollection(all, new Set(['used']), sightings, { wantedBytes, minAgeMs, maxAgeMs, nowMs });
    return [remove.map((one) => `${one.image.id} ${one.reason}`).join(', '), shortBytes];
  };

  it('removes nothing while there is room', () => assert.deepEqual(plan(0), ['', 0]));
  it('removes the longest unused first', () => assert.deepEqual(plan(15), ['never space, older space', 0]));
  it('leaves what is young, used or pinned', () => assert.deepEqual(plan(100), ['never space, older space, old space', 70]));
  it('takes the young as well where it must', () =>
    assert.deepEqual(plan(100, 0, 0), ['never space, young space, older space, old space', 60]));
  it('removes what was not used for too long', () => assert.deepEqual(plan(0, 92 * minute), ['older age', 0]));

  it('takes the images of containers and those that are mounted as volumes to be used', async () => {
    const removed: string[] = [];
    const images = {
      listImages: async () => all,
      imageStatus: async (name: string) => all.find(({ id }) => name === `docker.io/${id}`),
      removeImage: async (id: string) => void removed.push(id),
    } as unknown as ImageStore;
    const runtime = { listContainers: async () => [{ image: { image: 'young' }, image_ref: '' }] } as unknown as ContainerRuntime;
    const collector = createImageCollector({
      ...{ settings: defaultImageCollection, images, runtime, files: {} as HostFiles, clock: createManualClock(0), logger: silentLogger },
      volumeImages: () => new Set(['docker.io/used', 'docker.io/missing']),
      onRemoved() {},
      onProblem() {},
    });
    await collector.removeUnused();
    assert.deepEqual(removed, ['old', 'older', 'never']);
  });

  it('remembers when images were seen and used', () => {
    const noted = noteImages([image('old'), image('new'), image('used')], new Set(['used']), sightings, nowMs + 1);
    assert.deepEqual(
      [...noted],
      [
        ['old', { firstSeenMs: 0, lastUsedMs: 10 * minute }],
        ['new', { firstSeenMs: nowMs + 1, lastUsedMs: 0 }],
        ['used', { firstSeenMs: 0, lastUsedMs: nowMs + 1 }],
      ],
    );
  });
});
