import { type Random, randomInt } from '../../../../../api/base/random.ts';
import type { Container, PodSpec, Volume, VolumeMount } from '../../../../../api/types/core-v1.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
/** An hour, and seven seconds that identify such tokens (KEP-1205). */
const expirationSeconds = 3607;
/** 0644 */
const defaultMode = 420;

/** Mounts the account's token into every container that mounts nothing else at the path where clients look for it. Modifies. */
export function mountToken(spec: PodSpec, random: Random): void {
  const volumes = spec.volumes ?? [];
  const present = volumes.find(({ name }) => name.startsWith(volumePrefix));
  const name = present?.name ?? volumePrefix + suffix(random);
  const lacking = [...(spec.initContainers ?? []), ...spec.containers].filter(lacksToken);
  for (const container of lacking) {
    const mount: VolumeMount = { name, readOnly: true, mountPath };
    container.volumeMounts = [...(container.volumeMounts ?? []), mount];
  }
  if (lacking.length > 0 && !present) spec.volumes = [...volumes, tokenVolume(name)];
}

function lacksToken({ volumeMounts }: Container): boolean {
  return !(volumeMounts ?? []).some((mount) => mount.mountPath === mountPath);
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode,
    },
  };
}

function suffix(random: Random): string {
  return Array.from({ length: 5 }, () => suffixAlphabet[randomInt(random, suffixAlphabet.length)]).join('');
}
