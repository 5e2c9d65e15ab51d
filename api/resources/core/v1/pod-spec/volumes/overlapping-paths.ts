import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import { quote } from '../../../../../base/quote.ts';
import type { Volume, VolumeProjection } from '../../../../../types/core-v1.ts';

/** A file of a volume and, in a volume with several sources, its source. */
interface VolumeFile {
  readonly path: string;
  readonly source: string;
}

/** Warnings for files of a volume that hide one another, and for projections without files. */
export function overlappingPathWarnings({ name, configMap, secret, downwardAPI, projected }: DeepReadonly<Volume>): string[] {
  const warnings: string[] = [];
  const check = (shown: string, files: readonly VolumeFile[]) =>
    warnings.push(...overlaps(files).map((overlap) => `volume ${quote(name)} (${shown}): overlapping paths: ${overlap}`));
  if (configMap?.items) check(`ConfigMap ${quote(configMap.name ?? '')}`, filesOf(configMap.items, ''));
  if (secret?.items) check(`Secret ${quote(secret.secretName ?? '')}`, filesOf(secret.items, ''));
  if (downwardAPI?.items) check('DownwardAPI', filesOf(downwardAPI.items, ''));
  const sources = projected?.sources ?? [];
  for (const source of sources) {
    if (Object.keys(source).length === 0) warnings.push(`volume ${quote(name)} (Projected) has no sources provided`);
  }
  check('Projected', sources.flatMap(projectedFiles));
  return warnings;
}

function filesOf(items: readonly { readonly path: string }[], source: string): VolumeFile[] {
  return items.map(({ path }) => ({ path, source }));
}

function projectedFiles(projection: DeepReadonly<VolumeProjection>): VolumeFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = projection;
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${quote(configMap.name ?? '')}`);
  if (secret?.items) return filesOf(secret.items, `Secret ${quote(secret.name ?? '')}`);
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken) return [{ path: serviceAccountToken.path, source: 'ServiceAccountToken' }];
  if (clusterTrustBundle) {
    const { name, signerName = '', path } = clusterTrustBundle;
    return [{ path, source: `ClusterTrustBundle ${quote(name ?? signerName)}` }];
  }
  return [
    { path: podCertificate?.certificateChainPath ?? '', source: 'PodCertificate chain' },
    { path: podCertificate?.keyPath ?? '', source: 'PodCertificate key' },
    { path: podCertificate?.credentialBundlePath ?? '', source: 'PodCertificate credential bundle' },
  ].filter(({ path }) => path !== '');
}

function overlaps(files: readonly VolumeFile[]): string[] {
  const found: string[] = [];
  const before: VolumeFile[] = [];
  for (const file of files) {
    const path = (file.path ?? '').replace(/\/+$/, '');
    const own = { ...file, path };
    if (path !== '')
      for (const other of before)
        if (isBelow(other.path, path) || isBelow(path, other.path)) found.push(`${show(own)} with ${show(other)}`);
    before.push(own);
  }
  return found;
}

function isBelow(path: string, directory: string): boolean {
  return directory !== '' && `${path}/`.startsWith(`${directory}/`);
}

function show({ path, source }: VolumeFile): string {
  return source === '' ? quote(path) : `${quote(path)} (${source})`;
}
