import type { Signal } from './thresholds.ts';

/**
 * The division of the disk. `shared`: images and writable layers are on the file system of Pods. `images`: both are on a file system of
 * their own. `split`: only images are.
 */
export type DiskLayout = 'shared' | 'images' | 'split';

/**
 * The layout that follows from the devices of the folders of Pods, images and writable layers. A runtime that does not report layers has
 * them beside the images.
 */
export function diskLayout(pods: number, images: number | undefined, layers: number | undefined): DiskLayout {
  if (images === undefined || images === pods) return 'shared';
  return layers === pods ? 'split' : 'images';
}

/** A Pod's data on a file system: writable layers, and the files that it writes beside them (logs, local volumes). */
export interface DiskParts {
  readonly layers: boolean;
  readonly writes: boolean;
}

/** The data that count against a Pod when a file system is short. */
export function diskParts(layout: DiskLayout, signal: Signal): DiskParts {
  if (layout === 'shared') return { layers: true, writes: true };
  if (signal.startsWith('imagefs.')) return { layers: layout === 'images', writes: false };
  return { layers: layout === 'split', writes: true };
}

/** Unused data on a file system that is short, which can be removed before a Pod has to go. */
export function reclaimable(layout: DiskLayout, signal: Signal): { readonly containers: boolean; readonly images: boolean } {
  if (layout === 'shared') return { containers: true, images: true };
  const isOfImages = signal.startsWith('imagefs.');
  if (layout === 'images') return { containers: isOfImages, images: isOfImages };
  return { containers: !isOfImages, images: isOfImages };
}
