/** The provisioner of volumes that are directories on the nodes' disks: `provisioner` of a StorageClass. */
export const localVolumeProvisioner = 'kubets.io/local-volume';

/** The class that claims get which ask for none. */
export const localStorageClassName = 'standard';

/** Keeps a volume until its directory is gone. */
export const localVolumeFinalizer = 'kubets.io/local-volume';

/** On such a volume: the node that has the directory. */
export const localVolumeNodeAnnotation = 'kubets.io/node';

/** Path of the kubelet's API under which directories are made (PUT, answers `{"path": ...}`) and removed (DELETE). */
export const localVolumesAction = 'localVolumes';
