import { decodeBase64 } from '../../../api/base/base64.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { Secret } from '../../../api/types/core-v1.ts';

const tokenNamespace = 'kube-system';
const tokenType = 'bootstrap.kubernetes.io/token';
const nameFormat = /^bootstrap-token-([a-z0-9]{6})$/;

export function isBootstrapToken({ metadata, type }: DeepReadonly<Secret>): boolean {
  return type === tokenType && metadata.namespace === tokenNamespace;
}

/** When the token ends; undefined: never. A time that cannot be read counts as past. */
export function tokenEndMs(secret: DeepReadonly<Secret>): number | undefined {
  const text = valueOf(secret, 'expiration');
  return text === '' ? undefined : (findTime(text) ?? 0);
}

/** Id and secret of a token that signs discovery information; undefined if it is not (or no longer) good for that. */
export function signingToken(secret: DeepReadonly<Secret>, nowMs: number): { readonly id: string; readonly secret: string } | undefined {
  const id = valueOf(secret, 'token-id');
  const value = valueOf(secret, 'token-secret');
  if (!isBootstrapToken(secret) || nameFormat.exec(secret.metadata.name ?? '')?.[1] !== id || value === '') return undefined;
  if ((tokenEndMs(secret) ?? Number.POSITIVE_INFINITY) <= nowMs || valueOf(secret, 'usage-bootstrap-signing') !== 'true') return undefined;
  return { id, secret: value };
}

function valueOf({ data }: DeepReadonly<Secret>, key: string): string {
  return new TextDecoder().decode(decodeBase64(data?.[key] ?? ''));
}
