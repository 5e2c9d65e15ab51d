import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import type {
  ClusterTrustBundleProjection,
  PodCertificateProjection,
  ProjectedVolumeSource,
  VolumeProjection,
} from '../../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { validateLabelSelector } from '../../../../../validation/labels.ts';
import { validateEach } from '../../../../../resource/field-rules.ts';
import { validateFileMode, validateFilePath } from '../names.ts';
import { validateDownwardFile, validateKeyToPath } from './volume-files.ts';

/** Validates a projected volume, which has several sources in one directory. */
export function validateProjected(projected: DeepReadonly<ProjectedVolumeSource>, path: FieldPath): FieldError[] {
  const taken = new Set<string>();
  const claim = (file: string, shown: string): FieldError[] => {
    if (file === '') return [];
    if (taken.has(file)) return [invalid(path, shown, 'conflicting duplicate paths')];
    taken.add(file);
    return [];
  };
  return [
    ...validateFileMode(path.child('defaultMode'), projected.defaultMode),
    ...validateEach(projected.sources, path.child('sources'), (source, at) => validateSource(source, path, at, claim)),
  ];
}

type ClaimPath = (file: string, shown: string) => FieldError[];

function validateSource(source: DeepReadonly<VolumeProjection>, volumePath: FieldPath, at: FieldPath, claim: ClaimPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ['secret', 'configMap'] as const) {
    const projection = source[type];
    if (!projection) continue;
    if (!projection.name) errors.push(required(at.child(type, 'name')));
    for (const [index, item] of (projection.items ?? []).entries()) {
      errors.push(...validateKeyToPath(item, at.child(type, 'items').index(index)), ...claim(item.path, projection.name ?? ''));
    }
  }
  for (const file of source.downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, at.child('downwardAPI')), ...claim(file.path, file.path));
  }
  if (source.serviceAccountToken) {
    const { expirationSeconds = 3600, path: file } = source.serviceAccountToken;
    const seconds = at.child('serviceAccountToken', 'expirationSeconds');
    if (expirationSeconds < 600) errors.push(invalid(seconds, expirationSeconds, 'may not specify a duration less than 10 minutes'));
    if (expirationSeconds > 2 ** 32)
      errors.push(invalid(seconds, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
    errors.push(...(file ? validateFilePath(volumePath.child('path'), file) : [required(volumePath.child('path'))]));
  }
  if (source.clusterTrustBundle) errors.push(...validateTrustBundle(source.clusterTrustBundle, at.child('clusterTrustBundle'), claim));
  if (source.podCertificate) errors.push(...validatePodCertificate(source.podCertificate, at.child('podCertificate'), claim));
  if (Object.values(source).filter((projection) => projection !== undefined).length > 1) {
    errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

function validateTrustBundle(bundle: DeepReadonly<ClusterTrustBundleProjection>, at: FieldPath, claim: ClaimPath): FieldError[] {
  const { name, signerName, labelSelector, path: file } = bundle;
  const errors: FieldError[] = [];
  if (name !== undefined && signerName !== undefined) errors.push(invalid(at, bundle, 'only one of name and signerName may be used'));
  else if (name !== undefined) {
    if (name === '') errors.push(required(at.child('name'), 'must be a valid object name'));
    if (labelSelector !== undefined) {
      errors.push(invalid(at.child('labelSelector'), labelSelector, 'labelSelector must be unset if name is specified'));
    }
  } else if (signerName !== undefined) {
    if (signerName === '') errors.push(required(at.child('signerName'), 'must be a valid signer name'));
    errors.push(...validateLabelSelector(labelSelector, at.child('labelSelector')));
  } else errors.push(required(at, 'either name or signerName must be specified'));
  if (!file) errors.push(required(at.child('path')));
  return [...errors, ...validateFilePath(at.child('path'), file ?? ''), ...claim(file, file)];
}

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];

function validatePodCertificate(certificate: DeepReadonly<PodCertificateProjection>, at: FieldPath, claim: ClaimPath): FieldError[] {
  const errors: FieldError[] = [];
  const { signerName, keyType, maxExpirationSeconds } = certificate;
  if (!signerName) errors.push(required(at.child('signerName')));
  if (!keyTypes.includes(keyType)) errors.push(notSupported(at.child('keyType'), keyType ?? '', keyTypes));
  if (maxExpirationSeconds !== undefined) {
    const longest = signerName?.startsWith('kubernetes.io/') ? 86_400 : 91 * 86_400;
    const seconds = at.child('maxExpirationSeconds');
    if (maxExpirationSeconds < 3600)
      errors.push(invalid(seconds, maxExpirationSeconds, 'if provided, maxExpirationSeconds must be >= 3600'));
    if (maxExpirationSeconds > longest)
      errors.push(invalid(seconds, maxExpirationSeconds, `if provided, maxExpirationSeconds must be <= ${longest}`));
  }
  const files = (['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const).filter((field) => certificate[field]);
  for (const field of files) {
    const file = certificate[field] ?? '';
    errors.push(...validateFilePath(at.child(field), file), ...claim(file, file));
  }
  if (files.length === 0) errors.push(required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'));
  return errors;
}
