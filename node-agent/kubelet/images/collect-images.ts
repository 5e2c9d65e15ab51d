import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Image } from '../../cri/messages.ts';
import type { ContainerRuntime, ImageStore } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

export interface ImageCollectionSettings {
  /** Above it images are removed until usage is below `lowPercent`. */
  readonly highPercent: number;
  readonly lowPercent: number;
  /** Younger images stay, since a Pod may be about to use them. */
  readonly minAgeMs: number;
  /** An image that was unused for this long is removed in any case; 0: never for that reason alone. */
  readonly maxAgeMs: number;
}

export const defaultImageCollection: ImageCollectionSettings = { highPercent: 85, lowPercent: 80, minAgeMs: 120_000, maxAgeMs: 0 };

interface Sighting {
  readonly firstSeenMs: number;
  readonly lastUsedMs: number;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/** Records when images were first seen and last used. Removed images are forgotten. */
export function noteImages(images: readonly Image[], used: ReadonlySet<string>, before: Sightings, nowMs: number): Sightings {
  return new Map(
    images.map(({ id }) => {
      const known = before.get(id);
      return [id, { firstSeenMs: known?.firstSeenMs ?? nowMs, lastUsedMs: used.has(id) ? nowMs : (known?.lastUsedMs ?? 0) }];
    }),
  );
}

interface ImagePlan {
  readonly remove: readonly { readonly image: Image; readonly reason: 'age' | 'space' }[];
  /** Bytes that are wanted but cannot be had. */
  readonly shortBytes: number;
}

/** Plans the removal of images: those unused for too long, and then, the longest unused first, until so many bytes are free. */
export function planCollection(
  images: readonly Image[],
  used: ReadonlySet<string>,
  sightings: Sightings,
  {
    wantedBytes,
    minAgeMs,
    maxAgeMs,
    nowMs,
  }: Pick<ImageCollectionSettings, 'minAgeMs' | 'maxAgeMs'> & { readonly wantedBytes: number; readonly nowMs: number },
): ImagePlan {
  const seen = ({ id }: Image): Sighting => sightings.get(id) ?? { firstSeenMs: nowMs, lastUsedMs: 0 };
  const unused = images
    .filter((image) => !image.pinned && !used.has(image.id))
    .sort((a, b) => seen(a).lastUsedMs - seen(b).lastUsedMs || seen(a).firstSeenMs - seen(b).firstSeenMs);
  const remove: { image: Image; reason: 'age' | 'space' }[] = [];
  let freed = 0;
  for (const image of unused) {
    const { firstSeenMs, lastUsedMs } = seen(image);
    const isOld = maxAgeMs > 0 && nowMs - Math.max(lastUsedMs, firstSeenMs) > maxAgeMs;
    if (!isOld && (freed >= wantedBytes || nowMs - firstSeenMs < minAgeMs)) continue;
    remove.push({ image, reason: isOld ? 'age' : 'space' });
    freed += Number(image.size);
  }
  return { remove, shortBytes: Math.max(0, wantedBytes - freed) };
}

interface ImageCollectorDependencies {
  readonly settings: ImageCollectionSettings;
  readonly images: ImageStore;
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** References of image volumes, as Pods name them. */
  readonly volumeImages: () => ReadonlySet<string>;
  readonly onRemoved: (reason: 'age' | 'space') => void;
  /** Called with a reason and message for a Warning event of the node. */
  readonly onProblem: (reason: string, message: string) => void;
}

interface ImageCollector {
  run(signal: AbortSignal): Promise<void>;
  /** Removes all unused images. */
  removeUnused(): Promise<void>;
}

const periodMs = 5 * 60_000;

export function createImageCollector(dependencies: ImageCollectorDependencies): ImageCollector {
  const { settings, images, runtime, files, clock, logger, volumeImages, onRemoved, onProblem } = dependencies;
  let sightings: Sightings = new Map();
  const remove = async (wantedBytes: number, minAgeMs: number): Promise<number> => {
    const [all, containers] = await Promise.all([images.listImages(), runtime.listContainers()]);
    // A name that the runtime cannot read keeps its Pod from running, and nothing else.
    const mounted = await Promise.all([...volumeImages()].map((reference) => images.imageStatus(reference).catch(() => undefined)));
    const used = new Set([...usedImages(all, containers), ...mounted.flatMap((image) => image?.id ?? [])]);
    const nowMs = clock.nowMs();
    sightings = noteImages(all, used, sightings, nowMs);
    const plan = planCollection(all, used, sightings, { ...settings, minAgeMs, wantedBytes, nowMs });
    for (const { image, reason } of plan.remove) {
      await images.removeImage(image.id);
      onRemoved(reason);
      logger.info('removed an image that nobody uses', { image: image.repo_tags[0] ?? image.id, reason });
    }
    return plan.shortBytes;
  };
  const collect = async () => {
    const fileSystem = await images.imageFileSystem();
    if (!fileSystem) return;
    const { capacityBytes, availableBytes } = await files.capacity(fileSystem.mountpoint);
    if (capacityBytes === 0) return onProblem('InvalidDiskCapacity', `invalid capacity 0 on image filesystem`);
    const usedPercent = 100 - Math.floor((availableBytes * 100) / capacityBytes);
    const isFull = usedPercent >= settings.highPercent;
    const wanted = isFull ? Math.max(0, Math.floor((capacityBytes * (100 - settings.lowPercent)) / 100) - availableBytes) : 0;
    const short = await remove(wanted, settings.minAgeMs);
    if (short <= 0) return;
    const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${wanted - short} bytes eligible to free.`;
    onProblem('FreeDiskSpaceFailed', message);
  };
  return {
    removeUnused: async () => void (await remove(Number.MAX_SAFE_INTEGER, 0)),
    async run(signal) {
      while (!signal.aborted) {
        await sleep(clock, periodMs, signal).catch(() => undefined); // aborted
        if (signal.aborted) return;
        await collect().catch((error: unknown) => onProblem('ImageGCFailed', error instanceof Error ? error.message : String(error)));
      }
    },
  };
}

/** Containers name their image by its id or by any of its names. */
function usedImages(
  images: readonly Image[],
  containers: readonly { readonly image: { readonly image: string } | null; readonly image_ref: string }[],
): Set<string> {
  const names = new Set(containers.flatMap(({ image, image_ref }) => [image?.image ?? '', image_ref]));
  const isUsed = ({ id, repo_digests, repo_tags }: Image) => [id, ...repo_tags, ...repo_digests].some((name) => names.has(name));
  return new Set(images.filter(isUsed).map(({ id }) => id));
}
