import { createHash, type X509Certificate } from 'node:crypto';
import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { tokenReviews } from '../../../api/resources/authentication/v1/token-review.ts';

interface RequestCredentials {
  /** The client's certificate, if the TLS connection proved possession of its key and a trusted authority signed it. */
  readonly certificate: X509Certificate | undefined;
  readonly authorization: string | undefined;
}

/** Identifies the user of a request of the kubelet's API; undefined: unknown. */
export type IdentifyRequest = (credentials: RequestCredentials) => Promise<UserInfo | undefined>;

const keepMs = 120_000;

/** Client certificates name the user by their subject, bearer tokens are shown to the API server. */
export function createRequestIdentity({ client, clock }: { readonly client: Client; readonly clock: Clock }): IdentifyRequest {
  const known = new Map<string, { readonly user: UserInfo; readonly untilMs: number }>();
  return async ({ certificate, authorization }) => {
    if (certificate) return userOfCertificate(certificate);
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const kept = known.get(key);
    if (kept && clock.nowMs() < kept.untilMs) return kept.user;
    known.delete(key);
    const { status } = await client(tokenReviews).create({ metadata: {}, spec: { token } });
    if (!status?.authenticated) return undefined;
    const { username = '', uid, groups = [], extra } = status.user ?? {};
    const user: UserInfo = { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
    if (known.size > 1000) known.clear();
    known.set(key, { user, untilMs: clock.nowMs() + keepMs });
    return user;
  };
}

/** Common name and organizations of the subject. */
export function userOfCertificate({ subject }: Pick<X509Certificate, 'subject'>): UserInfo | undefined {
  const values = (attribute: string) =>
    subject.split('\n').flatMap((line) => (line.startsWith(`${attribute}=`) ? [line.slice(attribute.length + 1)] : []));
  const name = values('CN')[0];
  return name === undefined ? undefined : { name, groups: [...values('O'), 'system:authenticated'] };
}
