import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import type { ISCSIPersistentVolumeSource, ISCSIVolumeSource } from '../../../../../types/core-v1.ts';
import { type FieldError, invalid, required } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { inclusiveRangeMessage } from '../../../../../validation/formats.ts';

/** The patterns for the names of targets and initiators, by type (RFC 3721). Text before the match is ignored. */
const namePatterns: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function validateISCSIName(name: string, path: FieldPath): FieldError[] {
  const pattern = namePatterns[name.slice(0, 3)];
  if (pattern === undefined) return [invalid(path, name, 'must be valid format starting with iqn, eui, or naa')];
  return pattern.test(name) ? [] : [invalid(path, name, 'must be valid format')];
}

/** A disk reached over iSCSI, of a Pod or a PersistentVolume. */
export function validateISCSI(source: DeepReadonly<ISCSIVolumeSource | ISCSIPersistentVolumeSource>, at: FieldPath): FieldError[] {
  const { targetPortal, iqn, lun = 0, secretRef, initiatorName } = source;
  const errors: FieldError[] = [];
  if (!targetPortal) errors.push(required(at.child('targetPortal')));
  if (!iqn) errors.push(required(at.child('iqn')));
  else errors.push(...validateISCSIName(iqn, at.child('iqn')));
  if (lun < 0 || lun > 255) errors.push(invalid(at.child('lun'), lun, inclusiveRangeMessage(0, 255)));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && secretRef === undefined) errors.push(required(at.child('secretRef')));
  // The small n is upstream's.
  if (initiatorName !== undefined) errors.push(...validateISCSIName(initiatorName, at.child('initiatorname')));
  return errors;
}
