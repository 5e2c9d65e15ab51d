import type { Signal } from './thresholds.ts';

/**
 * How the disk is divided. `shared`: images and writable layers lie on the file system of Pods. `images`: both lie on one of
 * their own. `split`: images alone do.
 */
export type DiskLayout = 'shared' | 'images' | 'split';

/** The layout that follows from the devices of the folders of Pods, images and writable layers. A runtime that does not tell of layers has them with the images. */
export function diskLayout(pods: number, images: number | undefined, layers: number | undefined): DiskLayout {
  if (images === undefined || images === pods) return 'shared';
  return layers === pods ? 'split' : 'images';
}

/** A Pod's data on a file system: writable layers, and what it writes beside them (logs, local volumes). */
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
