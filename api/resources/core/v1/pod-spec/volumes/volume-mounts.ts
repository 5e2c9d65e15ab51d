import type { AnyContainer } from '../../../../../semantics/pods/pod-containers.ts';
import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import { validateChoice, validateEach } from '../../../../../resource/field-rules.ts';
import type { Volume, VolumeMount } from '../../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notFound, required } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { validateDescendingPath } from '../names.ts';

type Volumes = ReadonlyMap<string, DeepReadonly<Volume>>;

/** Validates the volume mounts of a container. Paths of some errors lack the index, as upstream's do. */
export function validateVolumeMounts(container: AnyContainer, volumes: Volumes, path: FieldPath): FieldError[] {
  const deviceNames = new Set((container.volumeDevices ?? []).map(({ name }) => name));
  const devicePaths = new Set((container.volumeDevices ?? []).map(({ devicePath }) => devicePath));
  const mountPaths = new Set<string>();
  return validateEach(container.volumeMounts, path, (mount, at) => {
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(required(at.child('name')));
    if (!volumes.has(mount.name)) errors.push(notFound(at.child('name'), mount.name ?? ''));
    if (!mount.mountPath) errors.push(required(at.child('mountPath')));
    if (mountPaths.has(mount.mountPath)) errors.push(invalid(at.child('mountPath'), mount.mountPath, 'must be unique'));
    mountPaths.add(mount.mountPath);
    if (deviceNames.has(mount.name)) {
      errors.push(invalid(at.child('name'), mount.name, 'must not already exist in volumeDevices'));
    }
    if (devicePaths.has(mount.mountPath)) {
      errors.push(invalid(at.child('mountPath'), mount.mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (mount.subPath) errors.push(...validateDescendingPath(path.child('subPath'), mount.subPath));
    if (mount.subPathExpr) {
      if (mount.subPath) errors.push(invalid(at.child('subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      errors.push(...validateDescendingPath(path.child('subPathExpr'), mount.subPathExpr));
    }
    return [...errors, ...validatePropagation(mount, container, path)];
  });
}

function validatePropagation(mount: DeepReadonly<VolumeMount>, container: AnyContainer, path: FieldPath): FieldError[] {
  const { mountPropagation: propagation, recursiveReadOnly: recursive, readOnly } = mount;
  const errors: FieldError[] = [];
  if (propagation !== undefined) {
    const at = path.child('mountPropagation');
    errors.push(...validateChoice(at, propagation, ['Bidirectional', 'HostToContainer', 'None'], 'unsupported'));
    if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
      errors.push(forbidden(at, 'Bidirectional mount propagation is available only to privileged containers'));
    }
  }
  if (recursive === undefined || recursive === 'Disabled') return errors;
  const at = path.child('recursiveReadOnly');
  if (recursive !== 'Enabled' && recursive !== 'IfPossible') {
    return [...errors, ...validateChoice(at, recursive, ['Disabled', 'Enabled', 'IfPossible'], 'unsupported')];
  }
  if (!readOnly) errors.push(forbidden(at, 'may only be specified when readOnly is true'));
  if (propagation !== undefined && propagation !== 'None') {
    errors.push(forbidden(at, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

/** Raw block devices of a container. */
export function validateVolumeDevices(container: AnyContainer, volumes: Volumes, path: FieldPath): FieldError[] {
  const mountNames = new Set((container.volumeMounts ?? []).map(({ name }) => name));
  const mountPaths = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  const names = new Set<string>();
  const paths = new Set<string>();
  return validateEach(container.volumeDevices, path, ({ name, devicePath }, at) => {
    const errors: FieldError[] = [];
    const volume = volumes.get(name);
    if (!name) errors.push(required(at.child('name')));
    if (names.has(name)) errors.push(invalid(at.child('name'), name, 'must be unique'));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(invalid(at.child('name'), name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
    }
    if (!volume) errors.push(notFound(at.child('name'), name ?? ''));
    if (!devicePath) errors.push(required(at.child('devicePath')));
    if (paths.has(devicePath)) errors.push(invalid(at.child('devicePath'), devicePath, 'must be unique'));
    if (devicePath?.split('/').includes('..')) errors.push(invalid(at.child('devicePath'), devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mountNames.has(name)) errors.push(invalid(at.child('name'), name, 'must not already exist in volumeMounts'));
    if (mountPaths.has(devicePath)) {
      errors.push(invalid(at.child('devicePath'), devicePath, 'must not already exist as a path in volumeMounts'));
    }
    names.add(name);
    return errors;
  });
}
