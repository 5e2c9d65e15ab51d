import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../api/base/clock.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { TokenAuthenticator } from './authenticator.ts';

/** `<id>.<secret>`, as kubeadm makes them. */
const format = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupFormat = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

interface BootstrapTokenOptions {
  /** Data of the Secret kube-system/`name` of type bootstrap.kubernetes.io/token, decoded; undefined if there is none. */
  findSecret(
    name: string,
  ): Promise<{ readonly type: string; readonly isDeleted: boolean; readonly data: Readonly<Record<string, string>> } | undefined>;
  /** Audiences of the API server's own tokens. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
}

/** Tokens with which new nodes ask for their first certificate: Secrets kube-system/bootstrap-token-<id>. */
export function bootstrapTokenAuthenticator({ findSecret, audiences: own, clock }: BootstrapTokenOptions): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const [, id, secret] = format.exec(token) ?? [];
      if (id === undefined || secret === undefined) return undefined;
      const granted = audiences.length === 0 ? [...own] : audiences.filter((audience) => own.includes(audience));
      if (granted.length === 0) return undefined;
      const found = await findSecret(`bootstrap-token-${id}`);
      if (!found || found.isDeleted || found.type !== 'bootstrap.kubernetes.io/token') return undefined;
      const { data } = found;
      if (!isSame(data['token-secret'] ?? '', secret) || data['token-id'] !== id) return undefined;
      if (data['usage-bootstrap-authentication'] !== 'true' || hasExpired(data['expiration'], clock)) return undefined;
      const groups = (data['auth-extra-groups'] ?? '').split(',').filter((group) => group !== '');
      if (groups.some((group) => !groupFormat.test(group))) return undefined;
      return { user: { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...groups] }, audiences: granted };
    },
  };
}

/** A time that cannot be read counts as past. */
function hasExpired(expiration: string | undefined, clock: Clock): boolean {
  if (expiration === undefined || expiration === '') return false;
  return (findTime(expiration) ?? 0) <= clock.nowMs();
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
