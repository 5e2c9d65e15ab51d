/** Why a container has no image yet; reason and message are shown in its status. */
export class ImageError extends Error {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError';
  /** When to try again, milliseconds since the Unix epoch. */
  readonly retryAtMs: number | undefined;
  constructor(reason: ImageError['reason'], message: string, retryAtMs?: number) {
    super(message);
    this.name = 'ImageError';
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
