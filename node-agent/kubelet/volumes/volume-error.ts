/** The error for a volume that cannot be made ready yet: the Pod waits, and a FailedMount event tells the user. */
export class VolumeError extends Error {
  constructor(volume: string, problem: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${problem}`);
    this.name = 'VolumeError';
  }
}
