/** A volume that cannot be made ready yet; the Pod waits and the user is told by a FailedMount event. */
export class VolumeError extends Error {
  constructor(volume: string, problem: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${problem}`);
    this.name = 'VolumeError';
  }
}
